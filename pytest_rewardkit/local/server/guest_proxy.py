"""The server's end of one sandbox: its processes, kernels and files, through the guest that runs in it."""

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
)
from pytest_rewardkit.local.server.execution import MEMORY_EXCEEDED, RESTARTED
from pytest_rewardkit.local.server.guest_files import GuestFiles
from pytest_rewardkit.local.server.guest_processes import GuestProcesses
from pytest_rewardkit.local.server.guest_tools import GuestTools
from pytest_rewardkit.local.server.kernel_proxy import KernelProxy
from pytest_rewardkit.local.server.process import Ended, Process
from pytest_rewardkit.local.server.watch import Watches
from pytest_rewardkit.local.wire.answers import (
    nothing,
    require_descriptors,
    tcp_socket,
    udp_socket,
)
from pytest_rewardkit.local.wire.bounds import BOUNDS
from pytest_rewardkit.local.wire.frames import close_all
from pytest_rewardkit.local.wire.peer import GuestAnswer, Peer, positive_integer
from pytest_rewardkit.local.wire.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.wire.bounds import Bounds

T = TypeVar("T")


class GuestProxy:
    """A live sandbox. All messages of the other side are checked; breaking the protocol ends the sandbox.

    Parameters:
        sock: the guest's channel; this object owns it.
        limits: what the sandbox may use; this object enforces those that the sandbox does not.
        on_gone: called once with the reason when the sandbox has ended or must be ended; not after `close`.
        on_imports: called with the names of slow modules that a candidate has imported, as the candidate reports.
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
        self._kernels: dict[int, KernelProxy] = {}
        self.frozen = False
        self._exit_seen: asyncio.Future[None] | None = None
        self._on_gone = on_gone
        self._on_imports = on_imports
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.share = Share()
        self._peer = Peer(sock, self._receive, self._lost, patience=bounds.request, share=self.share)
        self.files = GuestFiles(self._peer)
        self.watches = Watches(self._peer)
        self.processes = GuestProcesses(self._peer, limits.output_mb, self.share, self.kill_process)
        self.tools = GuestTools(self._peer, bounds.tool)

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a task that no request waits for; it ends with the sandbox."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap_task)
        return task

    async def ready(self) -> None:
        """Wait until the sandbox is complete.

        Raises:
            GuestGoneError: it has failed.
        """
        await asyncio.shield(self._ready)

    async def start_kernel(self, cwd: str, envs: Mapping[str, str], language: str) -> KernelProxy:
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

        def adopt(answer: GuestAnswer) -> KernelProxy:
            require_descriptors(answer, 0)
            pid = answer.integer("pid")
            ours.clear()
            kernel = KernelProxy(pid, channel, (stdout, stderr, taken), self._kernel_lost, self._on_imports, self.share)
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
        """Send a signal to a process or, with `group`, to its whole process group.

        Raises:
            GuestError: there is no such process.
            GuestGoneError: the sandbox is gone.
        """
        await self._peer.ask("signal", nothing, pid=pid, signal=int(number), group=group)

    async def open_socket(self) -> socket.socket:
        """A TCP socket in the sandbox's network, not yet connected.

        Raises:
            GuestError: the sandbox has no network.
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
            while self._kernels or self.processes.running:
                self._exit_seen = asyncio.get_running_loop().create_future()
                await self._exit_seen

    def kill_process(self, process: Process) -> None:
        """End a process and its process group."""
        self.background(self.signal(process.pid, signal.SIGKILL))

    def kill_kernel(self, kernel: KernelProxy) -> None:
        """End a kernel; it has `died` once the sandbox reports so."""
        self.background(self.signal(kernel.pid, signal.SIGKILL))

    def ended(self) -> None:
        """Note that the sandbox has ended."""
        self._lost(None)

    def close(self) -> None:
        """Forget the sandbox: close its channels and pipes, and end its tasks."""
        if self._closed:
            return
        self._closed = True
        self._peer.close()
        self._fail(self._ready, GuestGoneError("the sandbox is gone"))
        for kernel in list(self._kernels.values()):
            kernel.close()
        self.processes.close()
        self.tools.fail(GuestGoneError("the sandbox is gone"))
        if self._exit_seen is not None:
            self._fail(self._exit_seen, GuestGoneError("the sandbox is gone"))
        for task in list(self._tasks):
            task.cancel()

    def _receive(self, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "ready":
            if not self._ready.done():
                self._ready.set_result(None)
            return
        if event == "failed":
            raise ChannelError(f"its guest failed: {str(message.get('message'))[:MAX_ERROR_CHARACTERS]}")
        if event == "changes":
            self.watches.receive(message)
        elif event == "exit":
            self._exited(message)
        else:
            raise ChannelError(f"a guest has no event {event[:40]!r}")

    def _exited(self, message: dict[str, Any]) -> None:
        pid = positive_integer(message, "pid")
        status = message.get("status")
        if type(status) is not int or not -128 < status < 256:
            raise ChannelError("status must be an exit status or a negated signal")
        for_memory = message.get("reason") == "memory"
        if kernel := self._kernels.pop(pid, None):
            kernel.died(MEMORY_EXCEEDED if for_memory else RESTARTED)
        elif not self.tools.exited(pid, status):
            self.processes.exited(pid, Ended(status, for_memory))
        if self._exit_seen is not None and not self._exit_seen.done():
            self._exit_seen.set_result(None)

    def _kernel_lost(self, kernel: KernelProxy, _: Exception | None) -> None:
        # Candidates can reach their kernel's channel. If breaking it ended the sandbox, a candidate could get rid of
        # the sandbox, and a lost sandbox says nothing about the candidate.
        if not self._closed:
            self.kill_kernel(kernel)

    def _lost(self, error: Exception | None) -> None:
        if not self._closed:
            reason = "it ended" if error is None else str(error)
            self._fail(self._ready, GuestGoneError(f"the sandbox has failed: {reason}"))
            self.close()
            self._on_gone(reason)

    @staticmethod
    def _fail(waiter: asyncio.Future[Any], error: GuestGoneError) -> None:
        if not waiter.done():
            waiter.set_exception(error)
            waiter.exception()  # the waiting task may be gone, too

    def _reap_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, GuestError | GuestGoneError):
            task.get_loop().call_exception_handler({"message": "a sandbox's task failed", "exception": error})
