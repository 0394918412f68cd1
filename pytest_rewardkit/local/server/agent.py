"""The server's end of one sandbox: its processes, kernels and files, through the agent that runs in it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_rewardkit.local.errors import (
    MAX_ERROR_CHARACTERS,
    ChannelError,
    GuestError,
    GuestGoneError,
    GuestSilentError,
    UnansweredError,
)
from pytest_rewardkit.local.server.execution import MEMORY_EXCEEDED, RESTARTED
from pytest_rewardkit.local.server.kernel import Kernel
from pytest_rewardkit.local.server.process import Command, Ended, Process
from pytest_rewardkit.local.server.share import Share
from pytest_rewardkit.local.server.watch import Watches
from pytest_rewardkit.local.wire.answers import (
    close_opened,
    entries,
    entry,
    nothing,
    regular_file,
    require_descriptors,
    tcp_socket,
    udp_socket,
)
from pytest_rewardkit.local.wire.bounds import BOUNDS, bounded
from pytest_rewardkit.local.wire.frames import close_all
from pytest_rewardkit.local.wire.peer import Answer, Peer, positive_integer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.process import Event, Source
    from pytest_rewardkit.local.server.subscription import Subscription
    from pytest_rewardkit.local.wire.answers import Entry
    from pytest_rewardkit.local.wire.bounds import Bounds

T = TypeVar("T")

ENDED_SECONDS = 30.0
"""How long an ended process can still be asked for its end."""


class Agent:
    """A live sandbox. Everything that the other side says is checked; what breaks the protocol ends the sandbox.

    Parameters:
        sock: the agent's channel; this object owns it.
        limits: what the sandbox may use; those that are not its own matter are held here.
        on_gone: called once with the reason when the sandbox ended or must be ended; not after `close`.
        on_imports: called with the names of slow modules that a candidate has imported, as it says.
        bounds: how long it may take to answer.
    """

    def __init__(
        self,
        sock: socket.socket,
        limits: Limits,
        on_gone: Callable[[str], None],
        on_imports: Callable[[list[str]], None],
        *,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self.processes: dict[int, Process] = {}
        self._kernels: dict[int, Kernel] = {}
        self._outlived: set[Process] = set()
        self._tools: dict[int, asyncio.Future[int]] = {}
        self.frozen = False
        self._exit_seen: asyncio.Future[None] | None = None
        self._limits = limits
        self._on_gone = on_gone
        self._on_imports = on_imports
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._bounds = bounds
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.share = Share()
        self._peer = Peer(sock, self._receive, self._lost, patience=bounds.request, share=self.share)
        self.watches = Watches(self._peer)

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something for which no request waits; it ends with the sandbox."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap_task)
        return task

    async def ready(self) -> None:
        """Wait until the sandbox is what it is to be.

        Raises:
            GuestGoneError: it has failed.
        """
        await asyncio.shield(self._ready)

    async def start(self, command: Command) -> tuple[Process, Subscription[Event]]:
        """Start a process and listen to it from its first byte.

        Raises:
            GuestError: it could not be started.
            GuestGoneError: the sandbox is gone.
        """
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

        def adopt(answer: Answer) -> tuple[Process, Subscription[Event]]:
            require_descriptors(answer, 0)
            pid = answer.integer("pid")
            outputs: dict[Source, int] = {"stdout": stdout, "stderr": stderr}
            ours.clear()
            return self._adopt(Process(pid, command, stdin, outputs, self._limits.output_mb, self.share))

        theirs = (stdin_theirs, stdout_theirs, stderr_theirs)
        started = self._peer.request("start", adopt, theirs, **fields)
        close_all(theirs)
        started.add_done_callback(lambda _: close_all(ours))
        return await self._listened_to(started)

    async def start_kernel(self, cwd: str, envs: Mapping[str, str], language: str) -> Kernel:
        """Start an interpreter.

        Raises:
            GuestError: it could not be started.
            GuestGoneError: the sandbox is gone.
        """
        channel, channel_theirs = socket.socketpair()
        stdout, stdout_theirs = os.pipe()
        stderr, stderr_theirs = os.pipe()
        taken_theirs, taken = os.pipe()
        ours = [stdout, stderr, taken]

        def adopt(answer: Answer) -> Kernel:
            require_descriptors(answer, 0)
            pid = answer.integer("pid")
            ours.clear()
            kernel = Kernel(pid, channel, (stdout, stderr, taken), self._kernel_lost, self._on_imports, self.share)
            self._kernels[pid] = kernel
            return kernel

        def release(_: object) -> None:
            if ours:
                close_all(ours)
                channel.close()

        theirs = (channel_theirs.fileno(), stdout_theirs, stderr_theirs, taken_theirs)
        started = self._peer.request("kernel", adopt, theirs, cwd=cwd, envs=dict(envs), language=language)
        channel_theirs.close()
        close_all(theirs[1:])
        started.add_done_callback(release)
        async with self._peer.patience("kernel"):
            return await asyncio.shield(started)

    @property
    def closed(self) -> bool:
        """Whether the sandbox has ended."""
        return self._closed

    async def signal(self, pid: int, number: int, *, group: bool = True) -> None:
        """Send a signal to a process, and with `group` to all of its process group.

        Raises:
            GuestError: there is no such process.
            GuestGoneError: the sandbox is gone.
        """
        await self._peer.ask("signal", nothing, pid=pid, signal=int(number), group=group)

    async def open_socket(self) -> socket.socket:
        """A TCP socket in the sandbox's network, not yet connected.

        Raises:
            GuestError: it has none.
            GuestGoneError: the sandbox is gone.
        """
        return await self._peer.ask("socket", tcp_socket)

    async def open_datagram_socket(self) -> socket.socket:
        """A UDP socket in the sandbox's network, not yet bound. Raises as `open_socket`."""
        return await self._peer.ask("socket", udp_socket, datagrams=True)

    async def all_ended(self) -> None:
        """Wait until no process and no kernel is left.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        async with self._peer.patience("end of all processes"):
            while self._kernels or any(process.ended is None for process in self.processes.values()):
                self._exit_seen = asyncio.get_running_loop().create_future()
                await self._exit_seen

    async def run(self, script: str, *, stdin: int | None = None, stdout: int | None = None) -> int:
        """Run a shell script as a tool of the server's, and wait for its end; it shows up nowhere.

        Parameters:
            script: for `sh`.
            stdin, stdout: descriptors that it gets; without, it gets nothing to read, and what it writes is lost.

        Returns:
            Its exit status, or the negated number of the signal that ended it.

        Raises:
            GuestError: it could not be started, or does not end.
            GuestGoneError: the sandbox is gone.
        """
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def adopt(answer: Answer) -> None:
            require_descriptors(answer, 0)
            self._tools[answer.integer("pid")] = ended

        null = os.open(os.devnull, os.O_RDWR)
        descriptors = [null if stdin is None else stdin, null if stdout is None else stdout, null]
        started = self._peer.request("start", adopt, descriptors, cmd="/bin/sh", args=["-c", script], envs={}, cwd="")
        os.close(null)
        try:
            async with bounded(self._bounds.tool, "a tool of the server's did not end in the sandbox"):
                await started
                return await ended
        except UnansweredError as error:
            raise GuestSilentError(error) from None

    def kill_process(self, process: Process) -> None:
        """End a process and its process group."""
        self.background(self.signal(process.pid, signal.SIGKILL))

    def kill_kernel(self, kernel: Kernel) -> None:
        """End a kernel; it `died` when the sandbox has said so."""
        self.background(self.signal(kernel.pid, signal.SIGKILL))

    async def stat(self, path: str) -> Entry:
        """What is at `path`. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("stat", entry, path=path)

    async def list_directory(self, path: str, depth: int) -> list[Entry]:
        """What is in the directory, down to `depth` levels. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("list", entries, path=path, depth=depth)

    async def make_directory(self, path: str) -> Entry:
        """Make a directory and its parents. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("mkdir", entry, path=path)

    async def move(self, source: str, destination: str) -> Entry:
        """Rename, making the destination's parents. Raises GuestError, GuestGoneError."""
        return await self._peer.ask("move", entry, source=source, destination=destination)

    async def remove(self, path: str) -> None:
        """Remove a file or a whole directory. Raises GuestError, GuestGoneError."""
        await self._peer.ask("remove", nothing, path=path)

    async def open_file(self, path: str, mode: str, metadata: Mapping[str, str] | None = None) -> tuple[int, Entry]:
        """Open a regular file as the sandbox sees it.

        Parameters:
            path: absolute.
            mode: `r`; or `w`, which makes parents, and makes or empties the file.
            metadata: replaces the file's metadata, with `w`.

        Returns:
            The descriptor, which is the caller's, and the file's entry.

        Raises:
            GuestError: it could not be opened.
            GuestGoneError: the sandbox is gone.
        """
        fields: dict[str, Any] = {"path": path, "mode": mode}
        if metadata:
            fields["metadata"] = dict(metadata)
        opened = self._peer.request("open", regular_file, **fields)
        async with self._peer.patience("open"):
            try:
                return await asyncio.shield(opened)
            except asyncio.CancelledError:
                opened.add_done_callback(close_opened)
                raise

    def ended(self) -> None:
        """Take note that the sandbox has ended."""
        self._lost(None)

    def close(self) -> None:
        """Forget the sandbox: every channel, pipe and task of it is closed."""
        if self._closed:
            return
        self._closed = True
        self._peer.close()
        self._fail(self._ready, GuestGoneError("the sandbox is gone"))
        for kernel in list(self._kernels.values()):
            kernel.close()
        for process in (*self.processes.values(), *self._outlived):
            process.close()
        for waiter in (*self._tools.values(), self._exit_seen):
            if waiter is not None:
                self._fail(waiter, GuestGoneError("the sandbox is gone"))
        for task in list(self._tasks):
            task.cancel()

    def _adopt(self, process: Process) -> tuple[Process, Subscription[Event]]:
        earlier = self.processes.get(process.pid)
        if earlier is not None:
            if earlier.ended is None:
                process.close()
                raise ChannelError("two processes with one number")
            self._forget(earlier)
        self.processes[process.pid] = process
        if (limit := process.command.time_limit) is not None:
            process.deadline = asyncio.get_running_loop().call_later(limit, self.kill_process, process)
        return process, process.subscribe()

    def _adopt_terminal(self, command: Command, answer: Answer) -> tuple[Process, Subscription[Event]]:
        require_descriptors(answer, 1)
        (master,) = answer.descriptors
        pid = answer.integer("pid")
        if not os.isatty(master):
            raise ChannelError("a terminal's descriptor is no terminal")
        outputs: dict[Source, int] = {"pty": os.dup(master)}
        return self._adopt(Process(pid, command, master, outputs, self._limits.output_mb, self.share))

    def _receive(self, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "ready":
            if not self._ready.done():
                self._ready.set_result(None)
            return
        if event == "failed":
            raise ChannelError(f"its agent failed: {str(message.get('message'))[:MAX_ERROR_CHARACTERS]}")
        if event == "changes":
            self.watches.receive(message)
        elif event == "exit":
            self._exited(message)
        else:
            raise ChannelError(f"an agent has no event {event[:40]!r}")

    def _exited(self, message: dict[str, Any]) -> None:
        pid = positive_integer(message, "pid")
        status = message.get("status")
        if type(status) is not int or not -128 < status < 256:
            raise ChannelError("status must be an exit status or a negated signal")
        for_memory = message.get("reason") == "memory"
        if kernel := self._kernels.pop(pid, None):
            kernel.died(MEMORY_EXCEEDED if for_memory else RESTARTED)
        elif tool := self._tools.pop(pid, None):
            if not tool.done():
                tool.set_result(status)
        elif (process := self.processes.get(pid)) and process.ended is None:
            process.finish(Ended(status, for_memory))
            asyncio.get_running_loop().call_later(ENDED_SECONDS, self._forget, process)
        if self._exit_seen is not None and not self._exit_seen.done():
            self._exit_seen.set_result(None)

    def _forget(self, process: Process) -> None:
        if self.processes.get(process.pid) is process:
            del self.processes[process.pid]
            # Its descendants may go on writing, and must not be ended by that.
            self._outlived = {*(other for other in self._outlived if not other.silent), process}

    def _kernel_lost(self, kernel: Kernel, _: Exception | None) -> None:
        # Candidates reach their kernel's channel. One that breaks it must not get rid of its sandbox by that, since a
        # lost sandbox says nothing about the candidate.
        if not self._closed:
            self.kill_kernel(kernel)

    def _lost(self, error: Exception | None) -> None:
        if not self._closed:
            reason = "it ended" if error is None else str(error)
            self._fail(self._ready, GuestGoneError(f"the sandbox has failed: {reason}"))
            self.close()
            self._on_gone(reason)

    async def _listened_to(
        self, started: asyncio.Future[tuple[Process, Subscription[Event]]]
    ) -> tuple[Process, Subscription[Event]]:
        async with self._peer.patience("start"):
            try:
                return await asyncio.shield(started)
            except asyncio.CancelledError:
                # The process goes on; what it writes must not wait for a listener that never comes.
                started.add_done_callback(_unsubscribe)
                raise

    @staticmethod
    def _fail(waiter: asyncio.Future[Any], error: GuestGoneError) -> None:
        if not waiter.done():
            waiter.set_exception(error)
            waiter.exception()  # whoever waited may have gone, too

    def _reap_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, GuestError | GuestGoneError):
            task.get_loop().call_exception_handler({"message": "a sandbox's task failed", "exception": error})


def _unsubscribe(started: asyncio.Future[tuple[Process, Subscription[Event]]]) -> None:
    if not started.cancelled() and started.exception() is None:
        process, subscription = started.result()
        process.unsubscribe(subscription)
