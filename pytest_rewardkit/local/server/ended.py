"""Sandboxes that ended although nobody asked for it, kept for later requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from pytest_rewardkit.local.endings import LOST

MAX_KEPT: Final = 10_000


class Endings:
    """The last `MAX_KEPT` sandboxes that ended although nobody asked for it.

    Parameters:
        patience: seconds to wait for the fork server to report how a sandbox has ended.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._ended: OrderedDict[str, asyncio.Future[str]] = OrderedDict()

    def note(self, sandbox_id: str, ending: asyncio.Future[str]) -> None:
        """Note that a sandbox has ended on its own, and the future that will say how."""
        self._ended[sandbox_id] = ending
        while len(self._ended) > MAX_KEPT:
            self._ended.popitem(last=False)

    async def code(self, sandbox_id: str) -> str:
        """How a sandbox has ended, as a code of endings.py; "" if its end was wanted or it never existed."""
        if sandbox_id not in self._ended:
            return ""
        # A sandbox's channel ends before the fork server sees its first process end, and learns why.
        try:
            return await asyncio.wait_for(asyncio.shield(self._ended[sandbox_id]), self._patience)
        except TimeoutError:
            return LOST
