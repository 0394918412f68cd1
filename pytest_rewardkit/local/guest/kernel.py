"""A kernel: the process that runs a context's cells, forked from the guest with a warm interpreter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

from pytest_rewardkit.local.guest import descriptors, layout, own_packages, pictures, syscalls
from pytest_rewardkit.local.guest.execution import Executor, GuestCall
from pytest_rewardkit.local.wire.channel import Channel
from pytest_rewardkit.local.wire.frames import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_rewardkit.local.guest.fork_calls import ForkCalls
    from pytest_rewardkit.local.guest.shell import Shell
    from pytest_rewardkit.local.wire.frames import Message

PRELOADABLE: Final = ("numpy", "pandas", "matplotlib")
"""Modules that are slow to import and start no threads; a fork server may load them in advance."""

_KERNEL_ENVIRONMENT: Final = {
    # pyplot loads this backend, which shows figures at the end of a cell.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
# Leaves room for a result's other fields, and for escaping: a character takes up to six bytes in ASCII, a pair twelve.
MAX_RESULT_BYTES: Final = MAX_FRAME_BYTES - 2**16


def run(
    received: Sequence[int],
    confine: Callable[[], None],
    fork_calls: ForkCalls,
    serve: Callable[[Channel, int], None],
) -> NoReturn:
    """Become a kernel, in a freshly forked process.

    Parameters:
        received: the channel to the server, the pipes for standard output and error, and the pipe that brings a byte
            for each displayed object that the server has taken.
        confine: enters the layers that are the kernel's own.
        fork_calls: what modules want done in the kernel, and in processes that it forks.
        serve: runs cells until the server closes the channel; gets the channel and the last pipe.
    """
    code = 1
    try:
        channel, stdout, stderr, taken = received
        fork_calls.in_child()
        fork_calls.hand_over()
        descriptors.silence_stdio()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        syscalls.set_dumpable(True)
        syscalls.set_parent_death_signal(signal.SIGKILL)
        confine()
        descriptors.keep_only([channel, taken])
        serve(Channel(socket.socket(fileno=channel)), taken)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class PythonKernel:
    """Takes execute requests from the server and sends back what the cells do.

    Parameters:
        shell: where cells run.
        channel: the connection to the server.
        taken: brings a byte for each displayed object that the server has taken.
        directory: the working directory.
        environment: the whole environment.
    """

    def __init__(self, shell: Shell, channel: Channel, taken: int, directory: str, environment: dict[str, str]) -> None:
        _set_up_interpreter(directory, environment)
        self._shell = shell
        self._channel: Channel | None = channel
        self._taken = taken
        self._executor = Executor(shell)
        sys.unraisablehook = self._executor.unraisable
        self._requests: asyncio.Queue[Message | None] = asyncio.Queue()
        self._imported: set[str] = set(PRELOADABLE) & sys.modules.keys()
        shell.shelf.notes()

    def serve(self) -> None:
        """Serve until the server closes the channel or a cell asks to exit."""
        os.register_at_fork(after_in_child=self._leave_channel)
        pictures.show_pictures(self._shell.shelf)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(self._serve(loop))

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._channel is not None
        loop.add_reader(self._channel, self._readable)
        self._send({"event": "ready"})
        while True:
            request = await self._requests.get()
            if request is None:
                return
            await self._execute(request)
            if self._channel is None:
                # The cell forked this process, which ran to the cell's end. The cell itself is the other process's.
                os._exit(0)
            if self._shell.exit_now:
                return

    async def _execute(self, request: Message) -> None:
        number = request.get("id")
        _reopen_closed_streams()
        own_packages.adopt()

        def emit(event: str, **fields: Any) -> None:
            send = self._send_in_order if event == "result" and not fields["main"] else self._send
            send({"id": number, "event": event, **fields})

        call = request.get("call")
        code = request["code"] if call is None else GuestCall(call)
        await self._executor.execute(code, emit, environment=request.get("envs"), silent=bool(request.get("silent")))
        imported = (set(PRELOADABLE) & sys.modules.keys()) - self._imported
        self._imported |= imported
        imported.update(name for name in self._shell.shelf.notes() if name.partition(".")[0] not in PRELOADABLE)
        emit(
            "end",
            execution_count=self._shell.execution_count,
            last=self._shell.exit_now,
            **({"imported": sorted(imported)} if imported else {}),
        )

    def _readable(self) -> None:
        frames = self._channel.receive_available() if self._channel is not None else None
        if frames is None:
            os._exit(0)
        for frame in frames:
            frame.close()
            self._requests.put_nowait(frame.message)

    def _send(self, message: Message) -> None:
        if self._channel is None:
            return
        try:
            self._channel.send(message)
        except ValueError:
            self._channel.send(shortened(message))

    def _send_in_order(self, message: Message) -> None:
        """Send what a cell displays, and wait until it is taken, so that what the cell writes next comes after it."""
        # No interrupt and no alarm may come between sending and the end of the wait. The server keeps the wait short.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._send(message)
            if self._channel is not None:
                with contextlib.suppress(OSError):  # closed by the cell
                    os.read(self._taken, 1)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _leave_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _set_up_interpreter(directory: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.environ.update({name: value for name, value in _KERNEL_ENVIRONMENT.items() if name not in environment})
    os.chdir(directory)
    sys.argv = [""]
    # The fork server has computed its own directory.
    tempfile.tempdir = environment.get("TMPDIR", layout.TEMPORARY)
    # Modules in the working directory can be imported, as in a notebook.
    sys.path.insert(0, "")
    sys.stdout = sys.__stdout__ = _open_stream(1)  # type: ignore[misc,assignment]
    sys.stderr = sys.__stderr__ = _open_stream(2)  # type: ignore[misc,assignment]
    # Without this every sandbox would draw the same numbers, because the state came with the fork.
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _open_stream(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _reopen_closed_streams() -> None:
    if getattr(sys.stdout, "closed", False):
        sys.stdout = _open_stream(1)
    if getattr(sys.stderr, "closed", False):
        sys.stderr = _open_stream(2)


def shortened(message: Message) -> Message:
    """Return a result that is too large without its largest formats, and say so on standard error."""
    data = dict(message.get("data", {}))
    while data:
        largest = max(data, key=lambda mime: len(repr(data[mime])))
        del data[largest]
        print(f"The result's {largest} was left out: it is too large to be sent.", file=sys.stderr)
        if len(repr(data)) < MAX_RESULT_BYTES // 12:
            break
    return {**message, "data": data}
