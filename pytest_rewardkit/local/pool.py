"""Sandboxes that are ready before anybody asks."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from pytest_rewardkit.local.peer import GuestError, GuestGoneError
from pytest_rewardkit.local.zygote import ZygoteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_rewardkit.local.sandbox import Sandbox

REFILL_DELAY_SECONDS = 0.02


class Pool:
    """Keeps a number of sandboxes warm, making one at a time.

    Parameters:
        spawn: makes one.
        size: how many to keep.
    """

    def __init__(self, spawn: Callable[[], Awaitable[Sandbox]], size: int) -> None:
        self._spawn = spawn
        self._size = size
        self._ready: deque[Sandbox] = deque()
        self._waiting: deque[asyncio.Future[Sandbox]] = deque()
        self._refilling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> Sandbox:
        """A ready sandbox, else the next that will be.

        Raises:
            GuestError, GuestGoneError, ZygoteError: there will be none.
        """
        if self._ready:
            sandbox = self._ready.popleft()
            self._refill_soon()
            return sandbox
        waiter: asyncio.Future[Sandbox] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self.refill()
        return await waiter

    def refill(self) -> None:
        """Make sandboxes until there are enough."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._refilling is None:
            self._refilling = asyncio.get_running_loop().create_task(self._refill())

    def discard(self, sandbox_id: str) -> None:
        """A sandbox has ended; if it is here, it is nobody's loss."""
        self._ready = deque(sandbox for sandbox in self._ready if sandbox.id != sandbox_id)

    def close(self) -> None:
        """Make no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._refilling is not None:
            self._refilling.cancel()
        for waiter in self._waiting:
            waiter.cancel()

    def _refill_soon(self) -> None:
        # Whoever has just taken a sandbox is about to use it; making another at once would slow that down.
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REFILL_DELAY_SECONDS, self.refill)

    async def _refill(self) -> None:
        try:
            while self._waiting or len(self._ready) < self._size:
                sandbox = await self._spawn()
                while self._waiting and self._waiting[0].done():
                    self._waiting.popleft()
                if self._waiting:
                    self._waiting.popleft().set_result(sandbox)
                else:
                    self._ready.append(sandbox)
        except (GuestError, GuestGoneError, ZygoteError) as error:
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(error)
        finally:
            self._refilling = None
