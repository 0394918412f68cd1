"""The conditions of a gate: whether each holds, and why in one line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, shown, shown_under
from pytest_rewardkit.ledger.gate import GateState
from pytest_rewardkit.ledger.graders import check_of
from pytest_rewardkit.ledger.modes import MUTANTS
from pytest_rewardkit.ledger.statistics import Interval, least_trials, mean_interval, weighted_mean, wilson
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger.gate import Gate
    from pytest_rewardkit.ledger.test import Test

NAMED: Final = 3
"""How many tests a reason names; the others are counted."""

# A mean of floats may miss its exact value by a few units in the last place.
_TOLERANCE: Final = 1e-9
# If more than this many times the existing tests are needed, their number does not help.
_FORESIGHT: Final = 100

Condition = tuple[GateState, str]


def conditions_of(gate: Gate, tests: Sequence[Test]) -> list[Condition]:
    conditions = []
    if gate.fail_under is not None:
        conditions.append(_mean(tests, gate.fail_under, gate.confidence))
    if gate.min_pass_rate is not None:
        conditions.append(_pass_rate(tests, gate.min_pass_rate, gate.confidence))
    if gate.max_unscored is not None:
        conditions.append(_unscored(tests, gate.max_unscored))
    if gate.must_pass:
        conditions.append(all_passed(tests))
    if gate.min_kill_rate is not None:
        conditions.append(_kill_rate(tests, gate.min_kill_rate))
    return conditions


def _mean(tests: Sequence[Test], bound: float, confidence: float | None) -> Condition:
    pairs = [(test.strict, test.weight) for test in tests]
    mean = weighted_mean(pairs)
    if mean is None:
        return GateState.FAILED, "no test has a weight over 0, so there is no mean"
    unscored = sum(test.unscored for test in tests)
    counting = f", {counted(unscored, 'unscored test')} counting as 0" if unscored else ""
    if confidence is None:
        return _plain("mean", mean, bound, after=counting)
    interval = mean_interval(pairs, confidence)
    return _by_interval("mean", mean, interval, bound, confidence, len(tests), counting)


def _pass_rate(tests: Sequence[Test], bound: float, confidence: float | None) -> Condition:
    passed = sum(test.passed for test in tests)
    after = f", {passed:,} of {len(tests):,} passed"
    rate = passed / len(tests)
    if confidence is None:
        return _plain("pass rate", rate, bound, after=after)
    return _by_interval("pass rate", rate, wilson(passed, len(tests), confidence), bound, confidence, len(tests), after)


def _unscored(tests: Sequence[Test], most: int) -> Condition:
    unscored = sum(test.unscored for test in tests)
    if unscored > most:
        return GateState.FAILED, f"{counted(unscored, 'unscored test')} > {most:,}"
    return GateState.PASSED, f"{counted(unscored, 'unscored test')} <= {most:,}"


def all_passed(tests: Sequence[Test]) -> Condition:
    failed = [test.node_id for test in tests if not test.passed]
    if failed:
        return (
            GateState.FAILED,
            f"{len(failed):,} of {counted(len(tests), 'test')} that must pass did not: {named(failed)}",
        )
    return GateState.PASSED, f"{counted(len(tests), 'test')} that must pass did"


def _kill_rate(tests: Sequence[Test], least: float) -> Condition:
    graders = [test for test in tests if check_of(test) == MUTANTS]
    if not graders:
        return GateState.FAILED, "no grader was tried with mutants"
    count = counted(len(graders), "grader")
    weak = [f"{test.node_id} {shown_under(test.strict, least)}" for test in graders if test.strict < least - _TOLERANCE]
    if weak:
        return GateState.FAILED, f"kill rate < {least:g} of {len(weak):,} of {count}: {named(weak)}"
    return GateState.PASSED, f"kill rate >= {least:g} of {count}"


def _plain(what: str, value: float, bound: float, *, after: str) -> Condition:
    if value < bound - _TOLERANCE:
        return GateState.FAILED, f"{what} {shown_under(value, bound)} < {bound:g}{after}"
    return GateState.PASSED, f"{what} {shown(value)} >= {bound:g}{after}"


def _by_interval(
    what: str, value: float, interval: Interval, bound: float, confidence: float, count: int, after: str
) -> Condition:
    """Decide by the position of an interval; too few tests show nothing, however good they are.

    Parameters:
        count: how many tests there are.
    """
    percent = f"{confidence * 100:.4g} %"
    ends = f"{percent} interval {_end(interval.low, bound)} to {_end(interval.high, bound)}"
    if interval.high < bound - _TOLERANCE:
        return GateState.FAILED, f"{what} {shown_under(value, bound)} < {bound:g}, {ends}{after}"
    too_few = f"too few to decide: {what} {shown(value)} of {counted(count, 'test')}{after}"
    if count < (least := least_trials(bound, confidence)):
        return GateState.UNDECIDED, f"{too_few}; to show {bound:g} with {percent} confidence takes {least:,} at least"
    if interval.low < bound - _TOLERANCE:
        return GateState.UNDECIDED, f"{too_few}, {ends} around {bound:g}{_enough(value, interval, bound, count)}"
    return GateState.PASSED, f"{what} {shown(value)} >= {bound:g}, {ends}{after}"


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
    """Return the first `NAMED` tests by name, and the number of further ones."""
    names = ", ".join(one_line(node_id, 120) for node_id in node_ids[:NAMED])
    return f"{names} and {len(node_ids) - NAMED:,} more" if len(node_ids) > NAMED else names
