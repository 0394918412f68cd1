"""An interpreter process in a sandbox: it runs one execution at a time."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.errors import ChannelError
from pytest_rewardkit.local.server.execution import RESTARTED, Execution, Failure, Result, Started
from pytest_rewardkit.local.wire.async_channel import AsyncChannel
from pytest_rewardkit.local.wire.pipes import PipeReader

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pytest_rewardkit.local.server.execution import Stream
    from pytest_rewardkit.local.wire.frames import Frame
    from pytest_rewardkit.local.wire.share import Share

MAX_MIME_TYPES = 64


class KernelProxy:
    """The server's end of a kernel.

    Messages of the kernel may be the candidate's: it can forge the results and errors of its own runs. Breaking the
    protocol closes the channel.

    Parameters:
        pid: its process number inside the sandbox.
        sock: the channel's end; the kernel owns it.
        pipes: the read ends of its standard output and error, and the write end of the pipe that tells it that a
            displayed object has been taken; this object owns them.
        on_lost: called when the channel closes, with the error if the kernel broke the protocol.
        on_imports: called with the names of slow modules that a run has imported, as the kernel reports.
        share: how much of the server's time its sandbox may take.
    """

    def __init__(
        self,
        pid: int,
        sock: socket.socket,
        pipes: tuple[int, int, int],
        on_lost: Callable[[KernelProxy, Exception | None], None],
        on_imports: Callable[[list[str]], None],
        share: Share,
    ) -> None:
        self.pid = pid
        self.alive = True
        self.on_idle: Callable[[], None] = lambda: None
        self._on_imports = on_imports
        self._execution: Execution | None = None
        self._number = 0
        self._count = 1
        self._channel = AsyncChannel(
            sock, self._receive, lambda error: on_lost(self, error), max_descriptors=0, share=share
        )
        stdout, stderr, self._taken = pipes
        os.set_blocking(self._taken, False)
        self._readers = [
            PipeReader(stdout, lambda data: self._write("stdout", data), share=share),
            PipeReader(stderr, lambda data: self._write("stderr", data), share=share),
        ]

    def execute(self, execution: Execution) -> None:
        """Run it; `on_idle` is called at its end.

        Raises:
            ConnectionError: the kernel is gone.
            ValueError: the code does not fit into a message.
        """
        self._drain()  # threads of an earlier run may have written meanwhile; that output is dropped
        self._number += 1
        message: dict[str, Any] = {"op": "execute", "id": self._number, "code": execution.code}
        if execution.call is not None:
            message["call"] = execution.call
        self._channel.send({**message, "envs": execution.envs, "silent": execution.silent})
        self._execution = execution
        execution.on_room = self._resume
        if not execution.silent:
            execution.put(Started(self._count))

    def died(self, failure: Failure = RESTARTED) -> None:
        """Note that its process has ended: the current execution ends with `failure`."""
        self.alive = False
        self._drain()
        self.close()
        self._finish(failure)

    def close(self) -> None:
        """Close the channel and the streams."""
        self.alive = False
        if self._taken >= 0:
            os.close(self._taken)
            self._taken = -1
        self._channel.close()
        for reader in self._readers:
            reader.close()

    def _receive(self, frame: Frame) -> None:
        message = frame.message
        event = message.get("event")
        self._take(event, message, frame.size)
        if event == "result" and message.get("main") is not True and self._taken >= 0:
            # The kernel waits for this byte, so that its later output also comes after what it displays.
            with contextlib.suppress(OSError):  # full or closed: the candidate's own fault
                os.write(self._taken, b"\0")

    def _take(self, event: object, message: dict[str, Any], size: int) -> None:
        if event == "ready":
            return
        number = message.get("id")
        if type(number) is not int or event not in ("result", "error", "end"):
            raise ChannelError("a kernel's message is no event of an execution")
        execution = self._execution
        if execution is None or number != self._number:
            return  # the message of a thread of an earlier run
        self._drain()
        if event == "end":
            self._count = _count(message)
            if message.get("last") is True:
                self.alive = False  # it exits on its own; the next execution goes to another kernel
            self._finish(None)
            if isinstance(imported := message.get("imported"), list):
                self._on_imports([name for name in imported if isinstance(name, str)])
        else:
            execution.put(_event(event, message), size)
            if execution.events.full:
                self._pause()

    def _finish(self, failure: Failure | None) -> None:
        execution, self._execution = self._execution, None
        self._resume()
        if execution is not None:
            execution.finish(failure)
            self.on_idle()

    def _write(self, stream: Stream, data: bytes) -> None:
        execution = self._execution
        if execution is not None:
            execution.write(stream, data)
            if execution.events.full:
                self._pause()

    def _drain(self) -> None:
        for reader in self._readers:
            reader.drain()

    def _pause(self) -> None:
        self._channel.pause_reading()
        for reader in self._readers:
            reader.pause()

    def _resume(self) -> None:
        self._channel.resume_reading()
        for reader in self._readers:
            reader.resume()


def _count(message: dict[str, Any]) -> int:
    count = message.get("execution_count")
    if type(count) is not int or not 0 <= count < 2**31:
        raise ChannelError("execution_count must be a number")
    return count


def _event(event: object, message: dict[str, Any]) -> Result | Failure:
    if event == "result":
        data = message.get("data")
        if not isinstance(data, dict) or len(data) > MAX_MIME_TYPES:
            raise ChannelError("a result must be an object of representations")
        return Result(data, message.get("main") is True)
    texts = [message.get(name) for name in ("name", "value", "traceback")]
    if not all(isinstance(text, str) for text in texts):
        raise ChannelError("an error must have a name, a value and a traceback")
    return Failure(*map(str, texts))
