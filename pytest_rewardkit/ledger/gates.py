"""The decisions over a whole run and over groups of its tests. Pure.

Tests that are missing, crashed or unscored can never make a gate pass: they count as 0, and where it is not even known
whether they belong to a gate's tests, the gate fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.formatting import counted, shown, shown_under
from pytest_rewardkit.ledger.graders import check_of
from pytest_rewardkit.ledger.modes import MUTANTS
from pytest_rewardkit.ledger.statistics import Interval, least_trials, mean_interval, weighted_mean, wilson
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_rewardkit.ledger.attempts import Test
    from pytest_rewardkit.ledger.selection import Selection

RUN: Final = "run"
"""The name of the gate over all tests."""

MUST_PASS: Final = "must_pass"  # noqa: S105
"""The name of the gate over the tests whose markers say so."""

NAMED: Final = 3
"""Tests that a reason names; the others are counted."""

# A mean of floats may miss its exact value by a few units in the last place.
_TOLERANCE: Final = 1e-9
# Beyond this many times the tests there are, how many would do is no help.
_FORESIGHT: Final = 100


class State(StrEnum):
    """How a gate decided."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_ASKED = "not asked"
    """None of its tests was to run, because a choice of all tests was."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gate decided, and why in one line."""

    name: str
    state: State
    reason: str

    @property
    def passed(self) -> bool:
        return self.state is State.PASSED

    @property
    def fails(self) -> bool:
        """Whether it fails the run."""
        return self.state in (State.FAILED, State.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tests were to run.

    Parameters:
        narrowed_by: by what a choice of all tests was made; "" when all were to run.
        node_ids: the tests that were collected, and were not deselected.
        groups: the groups that any of these is known to be of, skipped ones among them.
        asked: the gates of which it is known that some were, where that is all that is known of those without a reward.
    """

    narrowed_by: str = ""
    node_ids: Sequence[str] = ()
    groups: Collection[str] = ()
    asked: Collection[str] = ()

    def leaves_out(self, gate: Gate) -> bool:
        """Whether the choice, and not a mistake, is why nothing of the tests of `gate` was to run."""
        if not self.narrowed_by or gate.name == RUN or gate.name in self.asked:
            return False
        if gate.select is not None:
            return not any(map(gate.select, self.node_ids))
        return gate.name not in self.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the tests of a run, or of a group, must amount to.

    Parameters:
        name: `RUN`, or the name of the group.
        select: which node ids are the group's; None for the tests whose marker names the group.
        fail_under: the strict mean reward in [0, 1] that is needed; unscored tests count as 0.
        min_pass_rate: the share of tests in [0, 1] that must pass.
        max_unscored: how many tests may be unscored or crashed.
        must_pass: whether every test must pass.
        min_kill_rate: the share of mutants in [0, 1] that each grader must notice; asked of a self-check by mutants
            alone.
        confidence: decide the mean and the rate by their intervals at this confidence, in [0.5, 1); None to take them
            as they are.

    Raises RewardkitUsageError for what no number of tests could show.
    """

    name: str = RUN
    select: Selection | None = None
    fail_under: float | None = None
    min_pass_rate: float | None = None
    max_unscored: int | None = None
    must_pass: bool = False
    min_kill_rate: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and 1.0 in (self.fail_under, self.min_pass_rate):
            raise RewardkitUsageError(
                f"no number of tests shows a mean or a rate of 1 with a confidence of {self.confidence:g}; "
                "use must_pass, or a lower bound"
            )

    @property
    def asks(self) -> bool:
        """Whether there is anything to decide."""
        bounds = (self.fail_under, self.min_pass_rate, self.max_unscored, self.min_kill_rate)
        return self.must_pass or any(bound is not None for bound in bounds)

    def of_candidates(self) -> Gate:
        """Return what is asked of a run of candidates."""
        return replace(self, min_kill_rate=None)

    def of_graders(self) -> Gate:
        """Return what is asked of a run that tries the graders with mutants."""
        return Gate(name=self.name, select=self.select, min_kill_rate=self.min_kill_rate)


def decide(
    gate: Gate,
    tests: Sequence[Test],
    *,
    missing: Sequence[str] = (),
    unfinished: str = "",
    choice: Choice = Choice(),
) -> Decision:
    """Decide whether the tests of `gate` are what it asks for.

    Parameters:
        tests: all tests of the run that have to do with rewards, crashed ones among them, in the order of collection;
            several attempts at one as one (`Ledger.tasks`).
        missing: node ids that were collected and never ran to an end.
        unfinished: why nothing can be said about the run as a whole; "" when it came to its end.
        choice: which tests were to run.
    """
    if unfinished:
        return Decision(gate.name, State.FAILED, unfinished)
    if lost := _lost(gate, tests, missing):
        return Decision(gate.name, State.FAILED, lost)
    members = [test for test in tests if _belongs(gate, test)]
    if not members and choice.leaves_out(gate):
        return Decision(gate.name, State.NOT_ASKED, f"none of its tests was selected ({choice.narrowed_by})")
    if not members:
        reason = "no test earned a reward, so there is no mean" if gate.name == RUN else "none of its tests ran"
        return Decision(gate.name, State.FAILED, reason)
    return _combined(gate.name, _conditions(gate, members))


def decide_must_pass(tests: Sequence[Test], *, unfinished: str = "") -> Decision | None:
    """Decide whether the tests whose markers say ``must_pass`` passed; None when no marker does.

    Parameters:
        unfinished: why nothing can be said about the run as a whole.
    """
    marked = [test for test in tests if test.must_pass]
    if marked and unfinished:
        return Decision(MUST_PASS, State.FAILED, unfinished)
    return _combined(MUST_PASS, [_all_passed(marked)]) if marked else None


def faults(tests: Sequence[Test]) -> str:
    """Return why nothing can be said about a run in which this package itself failed; "" where it did not."""
    faulty = [test.node_id for test in tests if test.faulty]
    if not faulty:
        return ""
    return f"pytest-rewardkit itself failed at {counted(len(faulty), 'test')}, please report it: {named(faulty)}"


_Condition = tuple[State, str]


def _combined(name: str, conditions: Sequence[_Condition]) -> Decision:
    """Return the decision in which every condition must hold, with the reasons of those that decided."""
    for state in (State.FAILED, State.UNDECIDED):
        if reasons := [text for found, text in conditions if found is state]:
            return Decision(name, state, "; ".join(reasons))
    return Decision(name, State.PASSED, "; ".join(text for _, text in conditions))


def _belongs(gate: Gate, test: Test) -> bool:
    if gate.select is not None:
        return gate.select(test.node_id)
    return gate.name == RUN or test.group == gate.name


def _lost(gate: Gate, tests: Sequence[Test], missing: Sequence[str]) -> str:
    """Return why nothing can be said about the gate's tests, because some are not known."""
    if gate.select is not None:
        missing = [node_id for node_id in missing if gate.select(node_id)]
    if missing:
        never = f"{counted(len(missing), 'collected test')} never ran to an end"
        if gate.name == RUN or gate.select is not None:
            return f"{never}, so the mean is not known"
        return f"{never}, and may be of this group"
    # The marker that names the group was lost with the worker.
    nameless = 0 if gate.name == RUN or gate.select is not None else sum(test.group_is_lost for test in tests)
    return f"{counted(nameless, 'crashed test')} may be of this group" if nameless else ""


def _conditions(gate: Gate, tests: Sequence[Test]) -> list[_Condition]:
    conditions = []
    if gate.fail_under is not None:
        conditions.append(_mean(tests, gate.fail_under, gate.confidence))
    if gate.min_pass_rate is not None:
        conditions.append(_pass_rate(tests, gate.min_pass_rate, gate.confidence))
    if gate.max_unscored is not None:
        conditions.append(_unscored(tests, gate.max_unscored))
    if gate.must_pass:
        conditions.append(_all_passed(tests))
    if gate.min_kill_rate is not None:
        conditions.append(_kill_rate(tests, gate.min_kill_rate))
    return conditions


def _mean(tests: Sequence[Test], bound: float, confidence: float | None) -> _Condition:
    pairs = [(test.strict, test.weight) for test in tests]
    mean = weighted_mean(pairs)
    if mean is None:
        return State.FAILED, "no test has a weight over 0, so there is no mean"
    unscored = sum(test.unscored for test in tests)
    counting = f", {counted(unscored, 'unscored test')} counting as 0" if unscored else ""
    if confidence is None:
        return _plain("strict mean", mean, bound, after=counting)
    interval = mean_interval(pairs, confidence)
    return _by_interval("strict mean", mean, interval, bound, confidence, len(tests), counting)


def _pass_rate(tests: Sequence[Test], bound: float, confidence: float | None) -> _Condition:
    passed = sum(test.passed for test in tests)
    after = f", {passed:,} of {len(tests):,} passed"
    rate = passed / len(tests)
    if confidence is None:
        return _plain("pass rate", rate, bound, after=after)
    return _by_interval("pass rate", rate, wilson(passed, len(tests), confidence), bound, confidence, len(tests), after)


def _unscored(tests: Sequence[Test], most: int) -> _Condition:
    unscored = sum(test.unscored for test in tests)
    if unscored > most:
        return State.FAILED, f"{counted(unscored, 'unscored test')} > {most:,}"
    return State.PASSED, f"{counted(unscored, 'unscored test')} <= {most:,}"


def _all_passed(tests: Sequence[Test]) -> _Condition:
    failed = [test.node_id for test in tests if not test.passed]
    if failed:
        return State.FAILED, f"{len(failed):,} of {counted(len(tests), 'test')} that must pass did not: {named(failed)}"
    return State.PASSED, f"{counted(len(tests), 'test')} that must pass did"


def _kill_rate(tests: Sequence[Test], least: float) -> _Condition:
    graders = [test for test in tests if check_of(test) == MUTANTS]
    if not graders:
        return State.FAILED, "no grader was tried with mutants"
    count = counted(len(graders), "grader")
    weak = [f"{test.node_id} {shown_under(test.strict, least)}" for test in graders if test.strict < least - _TOLERANCE]
    if weak:
        return State.FAILED, f"kill rate < {least:g} of {len(weak):,} of {count}: {named(weak)}"
    return State.PASSED, f"kill rate >= {least:g} of {count}"


def _plain(what: str, value: float, bound: float, *, after: str) -> _Condition:
    if value < bound - _TOLERANCE:
        return State.FAILED, f"{what} {shown_under(value, bound)} < {bound:g}{after}"
    return State.PASSED, f"{what} {shown(value)} >= {bound:g}{after}"


def _by_interval(
    what: str, value: float, interval: Interval, bound: float, confidence: float, count: int, after: str
) -> _Condition:
    """Decide by where an interval lies; too few tests show nothing, however good they are.

    Parameters:
        count: how many tests there are.
    """
    percent = f"{confidence * 100:.4g} %"
    ends = f"{percent} interval {_end(interval.low, bound)} to {_end(interval.high, bound)}"
    if interval.high < bound - _TOLERANCE:
        return State.FAILED, f"{what} {shown_under(value, bound)} < {bound:g}, {ends}{after}"
    too_few = f"too few to decide: {what} {shown(value)} of {counted(count, 'test')}{after}"
    if count < (least := least_trials(bound, confidence)):
        return State.UNDECIDED, f"{too_few}; to show {bound:g} with {percent} confidence takes {least:,} at least"
    if interval.low < bound - _TOLERANCE:
        return State.UNDECIDED, f"{too_few}, {ends} around {bound:g}{_enough(value, interval, bound, count)}"
    return State.PASSED, f"{what} {shown(value)} >= {bound:g}, {ends}{after}"


def _enough(value: float, interval: Interval, bound: float, count: int) -> str:
    """Return how many tests with rewards like these would decide: an interval narrows with the root of their number."""
    half = value - interval.low if value > bound else interval.high - value
    distance = abs(value - bound)
    if not distance or (factor := (half / distance) ** 2) > _FORESIGHT:
        return ""
    needed = max(int(float(f"{factor * count:.2g}")), count + 1)
    return f"; about {needed:,} such tests would decide"


def _end(end: float, bound: float) -> str:
    return shown_under(end, bound) if end < bound - _TOLERANCE else shown(end)


def named(node_ids: Sequence[str]) -> str:
    """Return the first `NAMED` of some tests by name, and how many more there are."""
    names = ", ".join(one_line(node_id, 120) for node_id in node_ids[:NAMED])
    return f"{names} and {len(node_ids) - NAMED:,} more" if len(node_ids) > NAMED else names
