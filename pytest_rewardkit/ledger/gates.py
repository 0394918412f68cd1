"""The decisions over a whole run and over groups of its tests. Pure.

Missing, crashed or unscored tests can never make a gate pass: they count as 0. If it is not known whether they belong
to a gate's tests, the gate fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.formatting import counted
from pytest_rewardkit.ledger.conditions import all_passed, conditions_of, named
from pytest_rewardkit.ledger.gate import MUST_PASS, RUN, ChosenTests, Decision, GateState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger.conditions import Condition
    from pytest_rewardkit.ledger.gate import Gate
    from pytest_rewardkit.ledger.test import Test


def decide(
    gate: Gate,
    tests: Sequence[Test],
    *,
    missing: Sequence[str] = (),
    unfinished: str = "",
    choice: ChosenTests | None = None,
) -> Decision:
    """Decide whether the tests of `gate` meet its conditions.

    Parameters:
        tests: all tests of the run that have a reward or should, including crashed ones, in the order of collection;
            several attempts at one as one (`Ledger.tasks`).
        missing: node ids that were collected and never ran to an end.
        unfinished: why nothing can be said about the run as a whole; "" if it ran to its end.
        choice: the tests that were to run; None for all.
    """
    if unfinished:
        return Decision(gate.name, GateState.FAILED, unfinished)
    if lost := _lost(gate, tests, missing):
        return Decision(gate.name, GateState.FAILED, lost)
    members = [test for test in tests if _belongs(gate, test)]
    if not members and choice is not None and choice.leaves_out(gate):
        return Decision(gate.name, GateState.NOT_ASKED, f"none of its tests was selected ({choice.narrowed_by})")
    if not members:
        reason = "no test earned a reward, so there is no mean" if gate.name == RUN else "none of its tests ran"
        return Decision(gate.name, GateState.FAILED, reason)
    return _combined(gate.name, conditions_of(gate, members))


def decide_must_pass(tests: Sequence[Test], *, unfinished: str = "") -> Decision | None:
    """Decide whether the tests whose markers say ``must_pass`` passed; None if no marker does.

    Parameters:
        unfinished: why nothing can be said about the run as a whole.
    """
    marked = [test for test in tests if test.must_pass]
    if marked and unfinished:
        return Decision(MUST_PASS, GateState.FAILED, unfinished)
    return _combined(MUST_PASS, [all_passed(marked)]) if marked else None


def faults(tests: Sequence[Test]) -> str:
    """Return why nothing can be said about a run in which this package itself failed; "" if it did not fail."""
    faulty = [test.node_id for test in tests if test.faulty]
    if not faulty:
        return ""
    return f"pytest-rewardkit itself failed at {counted(len(faulty), 'test')}, please report it: {named(faulty)}"


def _combined(name: str, conditions: Sequence[Condition]) -> Decision:
    """Return a decision that passes if every condition holds, with the reasons of the conditions that decided."""
    for state in (GateState.FAILED, GateState.UNDECIDED):
        if reasons := [text for found, text in conditions if found is state]:
            return Decision(name, state, "; ".join(reasons))
    return Decision(name, GateState.PASSED, "; ".join(text for _, text in conditions))


def _belongs(gate: Gate, test: Test) -> bool:
    if gate.select is not None:
        return gate.select(test.node_id)
    return gate.name == RUN or test.group == gate.name


def _lost(gate: Gate, tests: Sequence[Test], missing: Sequence[str]) -> str:
    """Return why nothing can be said about the gate's tests, because some are not known; "" if all are known."""
    if gate.select is not None:
        missing = [node_id for node_id in missing if gate.select(node_id)]
    if missing:
        never = f"{counted(len(missing), 'collected test')} never ran to an end"
        if gate.name == RUN or gate.select is not None:
            return f"{never}, so the mean is not known"
        return f"{never}, and may be of this group"
    # The group's name, which the marker holds, was lost with the worker.
    nameless = 0 if gate.name == RUN or gate.select is not None else sum(test.group_is_lost for test in tests)
    return f"{counted(nameless, 'crashed test')} may be of this group" if nameless else ""
