"""Bounds the memory for test details, however much output candidates produce. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.record import Record

BUDGET: Final = 64_000_000
"""Characters of records in their wire form; the HTML report has room for as much."""


class DetailsBudget:
    """Keeps the details of records while there is room: half of it for all tests, the rest for tests below 1.0.

    Rewards, verdicts and reasons are always kept. The results file has all details.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget
        self._of_passed = budget // 2

    def bound(self, record: Record, size: int) -> None:
        """Take `size` characters for `record`, or remove its parts, evidence, prompt and steps."""
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
