"""A gate: the conditions on the tests of a run, or of a group of them; and its decision. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_rewardkit.ledger.selection import Selection

RUN: Final = "run"
"""The name of the gate over all tests."""

MUST_PASS: Final = "must_pass"  # noqa: S105
"""The name of the gate over the tests whose markers say so."""

SHARDS: Final = "shards"
"""The name of the gate that fails if shards of a run are incomplete."""


class GateState(StrEnum):
    """The result of a gate."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_ASKED = "not asked"
    """The selection of tests left out all of its tests."""
    WAITING = "waiting"
    """The run is part of a larger one, in which the gate decides."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A gate's decision, and why in one line."""

    name: str
    state: GateState
    reason: str

    @property
    def passed(self) -> bool:
        return self.state is GateState.PASSED

    @property
    def fails(self) -> bool:
        """Whether it fails the run."""
        return self.state in (GateState.FAILED, GateState.UNDECIDED)


@dataclass(frozen=True, slots=True)
class ChosenTests:
    """The tests that were to run.

    Parameters:
        narrowed_by: what selected a part of all tests; "" if all were to run.
        node_ids: the tests that were collected and not deselected.
        groups: the known groups of these tests, including skipped ones.
        gates_with_tests: the gates that are known to have had tests, if tests without a reward are not known otherwise.
    """

    narrowed_by: str = ""
    node_ids: Sequence[str] = ()
    groups: Collection[str] = ()
    gates_with_tests: Collection[str] = ()

    def leaves_out(self, gate: Gate) -> bool:
        """Whether the selection, and not a mistake, is the reason that none of the tests of `gate` was to run."""
        if not self.narrowed_by or gate.name == RUN or gate.name in self.gates_with_tests:
            return False
        if gate.select is not None:
            return not any(map(gate.select, self.node_ids))
        return gate.name not in self.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The conditions on the tests of a run, or of a group.

    Parameters:
        name: `RUN`, or the name of the group.
        select: the node ids of the group; None for the tests whose marker names the group.
        fail_under: the required mean reward in [0, 1]; unscored tests count as 0.
        min_pass_rate: the share of tests in [0, 1] that must pass.
        max_unscored: how many tests may be unscored or crashed.
        must_pass: whether every test must pass.
        min_kill_rate: the share of mutants in [0, 1] that each grader must notice; applies only to a self-check with
            mutants.
        confidence: decide the mean and the rate by their intervals at this confidence, in [0.5, 1); None to use the
            values themselves.

    Raises RewardkitUsageError for conditions that no number of tests can show.
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
    def has_conditions(self) -> bool:
        """Whether the gate has any condition."""
        bounds = (self.fail_under, self.min_pass_rate, self.max_unscored, self.min_kill_rate)
        return self.must_pass or any(bound is not None for bound in bounds)

    def of_candidates(self) -> Gate:
        """Return the gate's conditions on a run of candidates."""
        return replace(self, min_kill_rate=None)

    def of_graders(self) -> Gate:
        """Return the gate's conditions on a run that tries the graders with mutants."""
        return Gate(name=self.name, select=self.select, min_kill_rate=self.min_kill_rate)
