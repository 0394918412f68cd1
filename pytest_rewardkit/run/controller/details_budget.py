"""What a run keeps in memory of its tests' details, whatever candidates put out. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.record import Record

BUDGET: Final = 64_000_000
"""Characters of records, by their wire form; as much as the HTML report has room for."""


class DetailsBudget:
    """Keeps the details of records as long as there is room: half of it for all tests, the rest for those that lost.

    Rewards, verdicts and reasons are always kept; the results file has the details of all.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget
        self._of_passed = budget // 2

    def bound(self, record: Record, size: int) -> None:
        """Take `size` characters for `record`, or its parts, evidence, prompt and steps away from it."""
        reward = record.reward
        has_details = reward is not None and bool(reward.parts or reward.evidence)
        if not (has_details or record.steps or (record.asked and record.asked.prompt)):
            return
        needed = self._left - size
        if needed >= (self._of_passed if reward is not None and reward.value == 1.0 else 0):
            self._left = needed
            return
        record.steps = ()
        record.asked = record.asked and replace(record.asked, prompt="")
        if reward is not None:
            record.left_out += len(reward.parts)
            record.reward = replace(reward, parts=(), evidence=())
