"""A test of a run with its results, one for each time it ran. Pure: it knows nothing of pytest."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.worst_parts import costliest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.reward import Reward

CRASHED: Final = "crashed"
"""Takes the place of a verdict if the test's worker died."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """The end of one run of a test.

    Parameters:
        outcome: passed, failed, error, skipped, xfailed, xpassed, rerun or crashed.
        duration: seconds of setup, call and teardown together.
        record: the test's record; None if it has no reward, or crashed.
        cause: if it crashed, what is known about that.
        line: the line of its file on which the test begins, from 1; None if that is not known.
        kept: whether it did not run now, but was taken over from an earlier run.
    """

    outcome: str
    duration: float = 0.0
    record: Record | None = None
    cause: str = ""
    line: int | None = None
    kept: bool = False

    __test__ = False  # pytest would collect it where it is imported into a test module

    @property
    def own_time(self) -> float:
        """Seconds that the test took, excluding the wait for its turn to have a sandbox."""
        if self.record is None or not self.record.sandboxes:
            return max(0.0, self.duration)
        return max(0.0, self.duration - math.fsum(use.waited for use in self.record.sandboxes))


@dataclass(slots=True)
class Test:
    """A test with its results, in order of arrival; the last one counts, and those before it led to reruns."""

    node_id: str
    results: list[TestResult] = field(default_factory=list)

    __test__ = False

    @property
    def last(self) -> TestResult:
        return self.results[-1]

    @property
    def crashed(self) -> bool:
        return self.last.outcome == CRASHED

    @property
    def reward(self) -> Reward | None:
        """The reward of the last result; None if it has none."""
        record = self.results[-1].record
        return None if record is None else record.reward

    @property
    def value(self) -> float | None:
        """The number that the test earned; None if it is unscored or crashed, or has no reward."""
        record = self.results[-1].record
        return None if record is None or record.reward is None else record.reward.value

    @property
    def strict(self) -> float:
        """The number with which the test counts if unknown rewards are 0."""
        return self.value or 0.0

    @property
    def earned(self) -> list[float]:
        """The numbers of all tries of the test, including reruns."""
        rewards = (result.record.reward for result in self.results if result.record is not None)
        return [reward.value for reward in rewards if reward is not None and reward.value is not None]

    @property
    def unscored(self) -> int:
        """How many attempts at the test, reruns aside, have no number."""
        return int(self.value is None)

    @property
    def faulty(self) -> bool:
        """Whether this package itself failed in the run that counts."""
        record = self.results[-1].record
        return record is not None and record.fault

    @property
    def lost(self) -> bool:
        """Whether the test earned less than it could have, as far as that is known."""
        return self.value != 1.0 or self.unscored > 0

    @property
    def members(self) -> Sequence[Test]:
        """The tests that pytest ran for it: itself, or the attempts of a `ReducedTest`."""
        return (self,)

    @property
    def reruns(self) -> int:
        """How many results were superseded by a later one."""
        return len(self.results) - 1

    @property
    def weight(self) -> float:
        record = self.last.record
        return 1.0 if record is None else record.weight

    @property
    def passed(self) -> bool:
        """Whether pytest let the test pass, and its reward has a number."""
        return self.last.outcome in ("passed", "xpassed") and self.value is not None

    @property
    def group(self) -> str | None:
        """The group that the test's marker names; None also if that was lost with a worker."""
        return None if (record := self.known) is None else record.group

    @property
    def group_is_lost(self) -> bool:
        """Whether the group is not known, because no run of the test left a record."""
        return self.known is None

    @property
    def must_pass(self) -> bool:
        """Whether the test's marker says that a gate fails if the test does not pass."""
        return (record := self.known) is not None and record.must_pass

    @property
    def known(self) -> Record | None:
        """The last record that the test left."""
        if (record := self.last.record) is not None:
            return record
        return next((result.record for result in reversed(self.results) if result.record is not None), None)

    @property
    def verdict(self) -> str:
        """The verdict, or `CRASHED`."""
        reward = self.reward
        return CRASHED if reward is None else str(reward.verdict)

    @property
    def cause(self) -> str:
        """Why the reward is what it is, in one sentence, if that is known."""
        reward = self.reward
        return self.last.cause if reward is None else reward.reason

    @property
    def why(self) -> str:
        """What cost the reward most: the reason of its lowest part, with the part's name; else `cause`."""
        reward = self.reward
        return self.cause if reward is None or reward.value is None else costliest(reward.parts) or self.cause
