"""Sandboxes that are made ready in advance."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import ForkServerError, GuestError, SandboxFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from pytest_rewardkit.local.server.sandbox import Sandbox


class Pool:
    """Keeps a number of sandboxes warm.

    Parameters:
        spawn: makes one.
        warm: starts its default context, and does whatever else a user should not wait for.
        size: how many to keep.
    """

    def __init__(
        self,
        spawn: Callable[[], Coroutine[Any, Any, Sandbox]],
        warm: Callable[[Sandbox], Coroutine[Any, Any, None]],
        size: int,
    ) -> None:
        self._spawn = spawn
        self._warm = warm
        self._size = size
        self._ready: deque[Sandbox] = deque()
        self._waiting: deque[asyncio.Future[Sandbox]] = deque()
        self._spawning: set[asyncio.Task[Sandbox]] = set()
        self._warming: set[asyncio.Task[None]] = set()
        self._parallel = len(os.sched_getaffinity(0))
        self._closed = False

    async def take(self) -> Sandbox:
        """A ready sandbox, or the next one to be made, which starts its interpreter when it is needed.

        Raises:
            GuestError, GuestGoneError, ForkServerError: there will be none.
        """
        if self._closed:
            raise _shutting_down()
        if self._ready:
            sandbox = self._ready.popleft()
            self.refill()
            return sandbox
        waiter: asyncio.Future[Sandbox] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self.refill()
        return await waiter

    def refill(self) -> None:
        """Make sandboxes until there are enough, as many at once as there are processors.

        If a sandbox has to enter a control group, making it is mostly waiting for the kernel. Callers that wait for a
        sandbox do not wait for other sandboxes to become warm.
        """
        missing = len(self._waiting) + self._size - len(self._ready)
        at_once = min(missing, self._parallel - (0 if self._waiting else len(self._warming)))
        while len(self._spawning) < at_once:
            task = asyncio.get_running_loop().create_task(self._spawn())
            self._spawning.add(task)
            task.add_done_callback(self._spawned)

    def discard(self, sandbox_id: str) -> None:
        """Note that a sandbox has ended; drop it if it is in the pool."""
        self._ready = deque(sandbox for sandbox in self._ready if sandbox.id != sandbox_id)

    def empty(self) -> list[Sandbox]:
        """Take out all sandboxes that are ready."""
        sandboxes = list(self._ready)
        self._ready.clear()
        return sandboxes

    def close(self) -> None:
        """Make no more sandboxes; callers that wait for one, or come later, get an error."""
        self._closed = True
        self._size = 0
        self._refuse(_shutting_down())
        for task in (*self._spawning, *self._warming):
            task.cancel()

    def _spawned(self, task: asyncio.Task[Sandbox]) -> None:
        self._spawning.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._hand_over(task.result())
            self.refill()
            return
        _report(task, error)
        self._refuse(error)

    def _refuse(self, error: BaseException) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _hand_over(self, sandbox: Sandbox) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(sandbox)
                return
        self._ready.append(sandbox)
        task = asyncio.get_running_loop().create_task(self._warm(sandbox))
        self._warming.add(task)
        task.add_done_callback(lambda task: self._warmed(task, sandbox))

    def _warmed(self, task: asyncio.Task[None], sandbox: Sandbox) -> None:
        self._warming.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.refill()
        else:
            self.discard(sandbox.id)
            _report(task, error)


def _report(task: asyncio.Task[Any], error: BaseException) -> None:
    """Report an error that is not the sandbox's own."""
    if not isinstance(error, GuestError | SandboxFailedError):
        task.get_loop().call_exception_handler({"message": "a sandbox could not be made", "exception": error})


def _shutting_down() -> ForkServerError:
    return ForkServerError("the server is shutting down")
