"""The change of each test since an earlier run, and whether the run is worse. Pure.

Tests are compared pairwise, by their node ids or by a pairing. This removes the differences between tests from the
comparison, so it needs fewer tests than a comparison of two means to tell a change from chance. Several attempts at one
test count as one test here, with their reduced reward.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, from_to, signed
from pytest_rewardkit.ledger.conditions import named
from pytest_rewardkit.ledger.gate import Decision, GateState
from pytest_rewardkit.ledger.pairing import Earned, paired
from pytest_rewardkit.ledger.statistics import Interval, mean_interval, weighted_mean
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_rewardkit.ledger.ledger import Ledger

REGRESSION: Final = "regression"
"""The name of the gate that a loss fails."""

CONFIDENCE: Final = 0.95
"""The confidence of intervals, unless the user asks for another."""

_TOLERANCE: Final = 1e-9


class Change(StrEnum):
    """The change of a test since the baseline."""

    WORSE = "worse"
    LOST = "lost"
    """It had a number, and now has none, or one over fewer attempts, because others are unscored."""
    FLAKY = "flaky"
    """It was tried several times, now or then, with different rewards, and neither run's are all above the other's."""
    BETTER = "better"
    NEW = "new"
    """The baseline has no number for it."""
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier run, reduced to what a comparison needs, because it stays in memory during the new run.

    Parameters:
        tests: the reward of each test, in the order of collection.
        name: the baseline's name.
        unfinished: why it does not cover a whole run; "" if it does.
        pair_by: how its tests are paired with those of another run: `ROW`, or the name of a parameter; None for node
            ids.
    """

    tests: Sequence[Earned]
    name: str = "baseline"
    unfinished: str = ""
    pair_by: str | None = None

    @classmethod
    def of(cls, ledger: Ledger, name: str = "baseline", unfinished: str = "", pair_by: str | None = None) -> Baseline:
        """Return the baseline made from the run of `ledger`."""
        return cls([Earned.of(test, pair_by) for test in ledger.tasks], name, unfinished, pair_by)


@dataclass(frozen=True, slots=True)
class Pair:
    """A test with a number in both runs."""

    node_id: str
    before: float
    now: float
    weight: float
    label: str | None = None
    """The common label of both if they are not paired by node id, such as a row."""

    @property
    def difference(self) -> float:
        return self.now - self.before


@dataclass(frozen=True)
class BaselineComparison:
    """A run compared with its baseline. Its results are cached, because several reports ask for them.

    Parameters:
        name: the baseline's name.
        changes: the change of each test of the run that has a reward or should, in the order of collection.
        before: the rewards of the baseline's tests, by node id.
        gone: the node ids that only the baseline has.
        pairs: the tests that have a number in both, in the order of collection.
        unfinished: why the baseline does not cover a whole run; "" if it does.
    """

    name: str
    changes: dict[str, Change]
    before: dict[str, float | None]
    gone: tuple[str, ...]
    pairs: tuple[Pair, ...]
    unfinished: str = ""

    @cached_property
    def counts(self) -> dict[Change, int]:
        """How many tests changed in each way, in the order of `Change`."""
        counts = Counter(self.changes.values())
        return {change: counts[change] for change in Change if counts[change]}

    @cached_property
    def worst(self) -> list[Pair]:
        """The tests that are worse, with the largest loss first."""
        worse = [pair for pair in self.pairs if self.changes[pair.node_id] is Change.WORSE]
        return sorted(worse, key=lambda pair: pair.difference)

    @cached_property
    def means(self) -> tuple[float, float] | None:
        """The weighted means of the pairs, before and now; None if nothing has a weight."""
        before = weighted_mean([(pair.before, pair.weight) for pair in self.pairs])
        now = weighted_mean([(pair.now, pair.weight) for pair in self.pairs])
        return None if before is None or now is None else (before, now)

    @cached_property
    def clusters(self) -> list[tuple[float, float]]:
        """The differences with their weights. Those about one row are one cluster, because they are not independent."""
        together: dict[tuple[str, str | None], list[tuple[float, float]]] = {}
        for pair in self.pairs:
            key = (pair.node_id, None) if pair.label is None else ("", pair.label)
            together.setdefault(key, []).append((pair.difference, pair.weight))
        return [
            (weighted_mean(differences) or 0.0, math.fsum(weight for _, weight in differences))
            for differences in together.values()
        ]

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Return the interval of the mean change, by the paired bootstrap over clusters.

        Raises ValueError if there is no mean.
        """
        return mean_interval(self.clusters, confidence)


def compare(now: Ledger, baseline: Baseline) -> BaselineComparison:
    """Return the changes of tests from `baseline` to `now`."""
    tests = [Earned.of(test, baseline.pair_by) for test in now.tasks]
    return compared(tests, baseline.tests, baseline.name, baseline.unfinished)


def compared(now: Iterable[Earned], baseline: Iterable[Earned], name: str, unfinished: str = "") -> BaselineComparison:
    """Return the changes of tests since a baseline; `name` and `unfinished` describe the baseline."""
    changes: dict[str, Change] = {}
    pairs = []
    earlier, tests = paired(baseline, now)
    before: dict[str, float | None] = {}
    for key, test in tests.items():
        then = earlier.get(key)
        changes[test.node_id] = _change(test, then)
        if then is None:
            continue
        before[test.node_id] = then.value
        if test.value is not None and then.value is not None:
            pairs.append(Pair(test.node_id, then.value, test.value, test.weight, test.label))
    gone = {then.node_id: then.value for key, then in earlier.items() if key not in tests}
    return BaselineComparison(
        name,
        changes=changes,
        before={**gone, **before},
        gone=tuple(gone),
        pairs=tuple(pairs),
        unfinished=unfinished,
    )


def decide_regression(
    comparison: BaselineComparison,
    *,
    confidence: float | None = None,
    missing: Sequence[str] = (),
    unfinished: str = "",
    name: str = REGRESSION,
) -> Decision:
    """Decide whether a run is worse than its baseline; fail closed if tests of either are missing.

    Parameters:
        confidence: if None, one worse test is a regression; with a number in [0.5, 1), a mean change is one if its
            interval lies below 0.
        missing: node ids that were collected now and never ran to an end.
        unfinished: why nothing can be said about the run as a whole; "" if it ran to its end.
        name: the gate's name.
    """
    if lost := _lost(comparison, missing, unfinished):
        return Decision(name, GateState.FAILED, lost)
    state, reason = _each(comparison) if confidence is None else _mean(comparison, confidence)
    uncounted = [
        f"{number:,} {change}"
        for change, number in comparison.counts.items()
        if change is Change.NEW or (change is Change.FLAKY and confidence is None)
    ]
    return Decision(name, state, f"{reason} ({', '.join(uncounted)} not counted)" if uncounted else reason)


def _change(now: Earned, then: Earned | None) -> Change:
    if then is None or then.lowest is None or then.highest is None or then.value is None:
        return Change.NEW
    lowest, highest = now.lowest, now.highest
    if now.value is None or lowest is None or highest is None or now.unscored > then.unscored:
        return Change.LOST
    if highest < then.lowest - _TOLERANCE:
        return Change.WORSE
    if lowest > then.highest + _TOLERANCE:
        return Change.BETTER
    widest = max(highest, then.highest) - min(lowest, then.lowest)
    return Change.SAME if widest <= _TOLERANCE else Change.FLAKY


def _lost(comparison: BaselineComparison, missing: Sequence[str], unfinished: str) -> str:
    """Return why nothing can be said about a regression; "" if something can."""
    if unfinished or comparison.unfinished:
        return unfinished or comparison.unfinished
    if missing:
        return f"{counted(len(missing), 'collected test')} never ran to an end: {named(missing)}"
    if comparison.gone:
        gone = counted(len(comparison.gone), "test")
        return f"{gone} of the baseline earned no reward in this run: {named(comparison.gone)}"
    if lost := [node_id for node_id, change in comparison.changes.items() if change is Change.LOST]:
        return f"{counted(len(lost), 'test')} scored in the baseline, and not in this run: {named(lost)}"
    return "" if comparison.means is not None else "no test has a number in both runs"


def _each(comparison: BaselineComparison) -> tuple[GateState, str]:
    tests = counted(len(comparison.pairs), "test")
    if worst := comparison.worst:
        return GateState.FAILED, f"{len(worst):,} of {tests} worse: {offenders(worst)}"
    return GateState.PASSED, f"none of {tests} worse"


def _mean(comparison: BaselineComparison, confidence: float) -> tuple[GateState, str]:
    pairs = comparison.pairs
    before, now = comparison.means or (0.0, 0.0)
    low, high = comparison.interval(confidence)
    percent = f"{confidence * 100:.4g} %"
    change = f"mean change {signed(now - before)}, {percent} interval {signed(low)} to {signed(high)}"
    if all(abs(pair.difference) <= _TOLERANCE for pair in pairs):
        return GateState.PASSED, f"none of {counted(len(pairs), 'test')} changed"
    if (count := len(comparison.clusters)) < (least := _least_pairs(confidence)):
        found = f"too few to decide: {change} over {counted(count, 'test')}"
        return GateState.UNDECIDED, f"{found}; to show a change with {percent} confidence takes {least:,} at least"
    if high < -_TOLERANCE:
        return GateState.FAILED, f"{change}; worst: {offenders(comparison.worst)}"
    return GateState.PASSED, f"no loss shown: {change}"


def _least_pairs(confidence: float) -> int:
    """Return the least number of pairs that can show a change at all: with so many equal signs, chance is ruled out.

    By the sign test, n changes in one direction have the probability 2 / 2^n (W. J. Dixon and A. M. Mood (1946), "The
    Statistical Sign Test", JASA 41(236), 557-566).
    """
    return math.ceil(math.log2(2 / (1 - confidence)) - 1e-9)


def offenders(worst: Sequence[Pair], most: int = 3) -> str:
    """Return the first `most` tests with their rewards before and now, and the number of further ones."""
    names = [f"{one_line(pair.node_id, 120)} {from_to(pair.before, pair.now)}" for pair in worst[:most]]
    more = f" and {len(worst) - most:,} more" if len(worst) > most else ""
    return ", ".join(names) + more
