"""Programs that the server runs in a sandbox for its own purposes; they are not listed anywhere."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import GuestSilentError, UnansweredError
from pytest_rewardkit.local.wire.answers import require_descriptors
from pytest_rewardkit.local.wire.bounds import bounded

if TYPE_CHECKING:
    from pytest_rewardkit.local.wire.peer import GuestAnswer, Peer


class GuestTools:
    """Runs them.

    Parameters:
        peer: the connection to the guest.
        patience: how many seconds a tool may take.
    """

    def __init__(self, peer: Peer, patience: float) -> None:
        self._peer = peer
        self._patience = patience
        self._running: dict[int, asyncio.Future[int]] = {}

    async def run(self, script: str, *, stdin: int | None = None, stdout: int | None = None) -> int:
        """Run a shell script as one of the server's tools and wait for its end; it is not listed anywhere.

        Parameters:
            script: for `sh`.
            stdin, stdout: its descriptors; without them, it reads nothing, and its output is lost.

        Returns:
            Its exit status, or the negated number of the signal that ended it.

        Raises:
            GuestError: it could not be started, or does not end.
            GuestGoneError: the sandbox is gone.
        """
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def adopt(answer: GuestAnswer) -> None:
            require_descriptors(answer, 0)
            self._running[answer.integer("pid")] = ended

        null = os.open(os.devnull, os.O_RDWR)
        descriptors = [null if stdin is None else stdin, null if stdout is None else stdout, null]
        started = self._peer.request("start", adopt, descriptors, cmd="/bin/sh", args=["-c", script], envs={}, cwd="")
        os.close(null)
        try:
            async with bounded(self._patience, "a tool of the server's did not end in the sandbox"):
                await started
                return await ended
        except UnansweredError as error:
            raise GuestSilentError(error) from None

    def exited(self, pid: int, status: int) -> bool:
        """Note a process's end; return whether the process is a tool."""
        ended = self._running.pop(pid, None)
        if ended is not None and not ended.done():
            ended.set_result(status)
        return ended is not None

    def fail(self, error: Exception) -> None:
        """Pass the error to all callers that wait for a tool."""
        for ended in self._running.values():
            if not ended.done():
                ended.set_exception(error)
                ended.exception()  # the waiting task may be gone, too
