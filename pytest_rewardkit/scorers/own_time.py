"""A bound on the time that a scorer itself takes to judge what a candidate has left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_rewardkit.reward import Part

_Item = TypeVar("_Item")

OWN_SECONDS: Final = 30.0
"""Seconds of processor time; waiting for the sandbox, or for another process on the machine, uses none."""


class OwnTime:
    """The time of one scorer, from now on, in the thread that created this object.

    Parameters:
        seconds: how much of it there is.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = OWN_SECONDS if seconds is None else seconds
        self._end = time.thread_time() + self.seconds

    @property
    def used_up(self) -> bool:
        return time.thread_time() >= self._end

    @property
    def reason(self) -> str:
        """Why judging stopped, as one sentence."""
        return f"judging what the candidate left took more than {self.seconds:g} s of processor time"

    def parts(
        self, items: Iterable[_Item], judge: Callable[[_Item], Part], unjudged: Callable[[_Item, str], Part]
    ) -> list[Part]:
        """Return each item's part from `judge` or, when no time is left, from `unjudged`, with the reason."""
        return [unjudged(item, self.reason) if self.used_up else judge(item) for item in items]
