"""The processes of one sandbox that clients have started."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.errors import ChannelError
from pytest_rewardkit.local.server.process import Ended, Process
from pytest_rewardkit.local.wire.answers import require_descriptors
from pytest_rewardkit.local.wire.frames import close_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_rewardkit.local.server.process import Command, Event, Source
    from pytest_rewardkit.local.server.subscription import Subscription
    from pytest_rewardkit.local.wire.peer import GuestAnswer, Peer
    from pytest_rewardkit.local.wire.share import Share

ENDED_SECONDS = 30.0
"""How long the end of an ended process can still be queried."""


class GuestProcesses:
    """Starts them, and keeps those that run or have just ended.

    Parameters:
        peer: the connection to the guest.
        output_mb: how many MiB of each process's output are passed on.
        share: how much of the server's time the sandbox may take.
        kill: ends a process that has taken longer than it may.
    """

    def __init__(self, peer: Peer, output_mb: int, share: Share, kill: Callable[[Process], None]) -> None:
        self._peer = peer
        self._output_mb = output_mb
        self._share = share
        self._kill = kill
        self._processes: dict[int, Process] = {}
        self._outlived: set[Process] = set()
        self.has_started = False
        """Whether anybody has asked to start a process."""

    def __iter__(self) -> Iterator[Process]:
        return iter(self._processes.values())

    def get(self, pid: int) -> Process | None:
        """The process with that number."""
        return self._processes.get(pid)

    @property
    def running(self) -> list[Process]:
        """The processes that have not ended."""
        return [process for process in self if process.ended is None]

    async def start(self, command: Command) -> tuple[Process, Subscription[Event]]:
        """Start a process and listen to it from its first byte.

        Raises:
            GuestError: it could not be started.
            GuestGoneError: the sandbox is gone.
        """
        self.has_started = True
        fields: dict[str, Any] = {"cmd": command.cmd, "args": list(command.args), "envs": dict(command.envs)}
        fields["cwd"] = command.cwd
        if command.terminal is not None:
            size = {"cols": command.terminal.cols, "rows": command.terminal.rows}
            started = self._peer.request(
                "start", lambda answer: self._adopt_terminal(command, answer), **fields, pty=size
            )
            return await self._listened_to(started)
        stdin_theirs, stdin = os.pipe() if command.stdin else (os.open(os.devnull, os.O_RDONLY), None)
        stdout, stdout_theirs = os.pipe()
        stderr, stderr_theirs = os.pipe()
        ours = [stdout, stderr, *([stdin] if stdin is not None else [])]

        def adopt(answer: GuestAnswer) -> tuple[Process, Subscription[Event]]:
            require_descriptors(answer, 0)
            pid = answer.integer("pid")
            outputs: dict[Source, int] = {"stdout": stdout, "stderr": stderr}
            ours.clear()
            return self._adopt(Process(pid, command, stdin, outputs, self._output_mb, self._share))

        theirs = (stdin_theirs, stdout_theirs, stderr_theirs)
        started = self._peer.request("start", adopt, theirs, **fields)
        close_all(theirs)
        started.add_done_callback(lambda _: close_all(ours))
        return await self._listened_to(started)

    def _adopt(self, process: Process) -> tuple[Process, Subscription[Event]]:
        earlier = self._processes.get(process.pid)
        if earlier is not None:
            if earlier.ended is None:
                process.close()
                raise ChannelError("two processes with one number")
            self._forget(earlier)
        self._processes[process.pid] = process
        if (limit := process.command.time_limit) is not None:
            process.deadline = asyncio.get_running_loop().call_later(limit, self._kill, process)
        return process, process.subscribe()

    def _adopt_terminal(self, command: Command, answer: GuestAnswer) -> tuple[Process, Subscription[Event]]:
        require_descriptors(answer, 1)
        (master,) = answer.descriptors
        pid = answer.integer("pid")
        if not os.isatty(master):
            raise ChannelError("a terminal's descriptor is no terminal")
        outputs: dict[Source, int] = {"pty": os.dup(master)}
        return self._adopt(Process(pid, command, master, outputs, self._output_mb, self._share))

    def _forget(self, process: Process) -> None:
        if self._processes.get(process.pid) is process:
            del self._processes[process.pid]
            # Its descendants may still write, and closing its pipes must not end them.
            self._outlived = {*(other for other in self._outlived if not other.silent), process}

    async def _listened_to(
        self, started: asyncio.Future[tuple[Process, Subscription[Event]]]
    ) -> tuple[Process, Subscription[Event]]:
        async with self._peer.patience("start"):
            try:
                return await asyncio.shield(started)
            except asyncio.CancelledError:
                # The process continues; its output must not wait for a listener that never comes.
                started.add_done_callback(_unsubscribe)
                raise

    def exited(self, pid: int, end: Ended) -> None:
        """Note the end of a process, if it is one of these."""
        process = self._processes.get(pid)
        if process is not None and process.ended is None:
            process.finish(end)
            asyncio.get_running_loop().call_later(ENDED_SECONDS, self._forget, process)

    def close(self) -> None:
        """Close their pipes."""
        for process in (*self._processes.values(), *self._outlived):
            process.close()


def _unsubscribe(started: asyncio.Future[tuple[Process, Subscription[Event]]]) -> None:
    if not started.cancelled() and started.exception() is None:
        process, subscription = started.result()
        process.unsubscribe(subscription)
