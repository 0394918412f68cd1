"""A gate: what the tests of a run, or of a group of them, must amount to; and what one has decided. Pure."""

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
"""The name of the gate that fails where shards of a run are not there as a whole."""


class GateState(StrEnum):
    """How a gate decided."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_ASKED = "not asked"
    """None of its tests was to run, because a choice of all tests was."""
    WAITING = "waiting"
    """The run is a part of another one, in which the gate decides."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gate decided, and why in one line."""

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
    """Which tests were to run.

    Parameters:
        narrowed_by: by what a choice of all tests was made; "" when all were to run.
        node_ids: the tests that were collected, and were not deselected.
        groups: the groups that any of these is known to be of, skipped ones among them.
        gates_with_tests: the gates of which it is known that some were, where no more is known of tests without a
            reward.
    """

    narrowed_by: str = ""
    node_ids: Sequence[str] = ()
    groups: Collection[str] = ()
    gates_with_tests: Collection[str] = ()

    def leaves_out(self, gate: Gate) -> bool:
        """Whether the choice, and not a mistake, is why nothing of the tests of `gate` was to run."""
        if not self.narrowed_by or gate.name == RUN or gate.name in self.gates_with_tests:
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
        fail_under: the mean reward in [0, 1] that is needed; unscored tests count as 0.
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
    def has_conditions(self) -> bool:
        """Whether there is anything to decide."""
        bounds = (self.fail_under, self.min_pass_rate, self.max_unscored, self.min_kill_rate)
        return self.must_pass or any(bound is not None for bound in bounds)

    def of_candidates(self) -> Gate:
        """Return what is asked of a run of candidates."""
        return replace(self, min_kill_rate=None)

    def of_graders(self) -> Gate:
        """Return what is asked of a run that tries the graders with mutants."""
        return Gate(name=self.name, select=self.select, min_kill_rate=self.min_kill_rate)
