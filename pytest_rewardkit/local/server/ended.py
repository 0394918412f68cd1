"""Which sandboxes have ended though nobody asked for it, for those who ask later."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from pytest_rewardkit.local.endings import LOST

MAX_KEPT: Final = 10_000


class Endings:
    """The sandboxes that ended though nobody asked for it, the last `MAX_KEPT` of them.

    Parameters:
        patience: seconds to wait for the fork server to tell how a sandbox has ended.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._ended: OrderedDict[str, asyncio.Future[str]] = OrderedDict()

    def note(self, sandbox_id: str, ending: asyncio.Future[str]) -> None:
        """Note that a sandbox has ended by itself, and what will tell how."""
        self._ended[sandbox_id] = ending
        while len(self._ended) > MAX_KEPT:
            self._ended.popitem(last=False)

    async def code(self, sandbox_id: str) -> str:
        """How a sandbox has ended, as a code of endings.py; nothing if somebody wanted it to, or it never was."""
        if sandbox_id not in self._ended:
            return ""
        # Its channel ends before its fork server has seen its first process end, and why.
        try:
            return await asyncio.wait_for(asyncio.shield(self._ended[sandbox_id]), self._patience)
        except TimeoutError:
            return LOST
