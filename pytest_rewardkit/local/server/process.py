"""A command in a sandbox: its input, its output, its end, and its listeners."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import struct
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_rewardkit.local.server.output import OutputLimit
from pytest_rewardkit.local.server.subscription import Subscription
from pytest_rewardkit.local.wire.pipes import PipeReader, PipeWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_rewardkit.local.wire.share import Share

Source = Literal["stdout", "stderr", "pty"]


@dataclass(frozen=True, slots=True)
class Command:
    """A command to start, in the caller's terms."""

    cmd: str
    args: Sequence[str]
    envs: Mapping[str, str]
    cwd: str | None
    tag: str | None = None
    stdin: bool = True
    terminal: TerminalSize | None = None
    time_limit: float | None = None
    """After this many seconds it is killed."""


@dataclass(frozen=True, slots=True)
class TerminalSize:
    """The size of a pseudo-terminal in characters."""

    cols: int
    rows: int


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that a process wrote."""

    source: Source
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a process: its exit status, or the negated number of the signal that ended it.

    Parameters:
        for_memory: whether it was ended because its sandbox took more memory than it may.
    """

    status: int
    for_memory: bool = False

    @property
    def exited(self) -> bool:
        """Whether it ended on its own."""
        return self.status >= 0

    def describe(self) -> str:
        """The end in words, as Go's `os.ProcessState` puts it."""
        if self.exited:
            return f"exit status {self.status}"
        words = SIGNAL_WORDS.get(-self.status, f"signal {-self.status}")
        return f"signal: {words} ({FOR_MEMORY})" if self.for_memory else f"signal: {words}"


FOR_MEMORY = "memory_limit_exceeded"
"""The code of a process that was ended because its sandbox used more memory than it is allowed."""


SIGNAL_WORDS: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
    signal.SIGXCPU: "CPU time limit exceeded",
    signal.SIGXFSZ: "file size limit exceeded",
    signal.SIGSYS: "bad system call",
}

Event = Output | Ended


class Process:
    """A process that runs or has just ended.

    Parameters:
        pid: its number inside the sandbox.
        command: its command.
        stdin: the write end of its standard input; None if it has none.
        outputs: the read ends of its outputs, by name.
        output_mb: how many MiB of piped output are passed on; the rest is read and dropped.
        share: how much of the server's time its sandbox may take.
    """

    def __init__(
        self, pid: int, command: Command, stdin: int | None, outputs: Mapping[Source, int], output_mb: int, share: Share
    ) -> None:
        self.pid = pid
        self.command = command
        self._end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.deadline: asyncio.TimerHandle | None = None
        self._limit = OutputLimit(output_mb)
        self._stdin = PipeWriter(stdin) if stdin is not None else None
        self._subscriptions: set[Subscription[Event]] = set()
        self._readers = [
            PipeReader(descriptor, self._sink(source), share=share) for source, descriptor in outputs.items()
        ]

    @property
    def ended(self) -> Ended | None:
        """Its end; None while it runs."""
        return self._end.result() if self._end.done() else None

    async def wait(self, timeout: float) -> None:
        """Wait for its end, for at most `timeout` seconds."""
        await asyncio.wait([self._end], timeout=timeout)

    @property
    def silent(self) -> bool:
        """Whether no more output can come from it or its descendants."""
        return all(reader.closed for reader in self._readers)

    def subscribe(self) -> Subscription[Event]:
        """Listen to its events from now on, up to the end."""
        subscription: Subscription[Event] = Subscription(self._on_room)
        if (ended := self.ended) is not None:
            subscription.put(ended)
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription[Event]) -> None:
        """Stop listening."""
        self._subscriptions.discard(subscription)
        self._on_room()

    async def write(self, data: bytes) -> None:
        """Write to its standard input or its terminal.

        Raises:
            BrokenPipeError: it has no input, or the input is closed.
        """
        if self._stdin is None:
            raise BrokenPipeError("stdin is not enabled or closed")
        await self._stdin.write(data)

    def close_stdin(self) -> None:
        """End its standard input, after earlier writes."""
        if self._stdin is not None:
            self._stdin.close_when_written()
            self._stdin = None

    def resize(self, size: TerminalSize) -> None:
        """Set a new size of its terminal."""
        if self._stdin is not None and not self._stdin.closed:
            fcntl.ioctl(self._stdin.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.cols, 0, 0))

    def finish(self, ended: Ended) -> None:
        """Note the end: listeners get what is still in the pipes, then the end.

        Descendants that outlive the process may still write; their output is read and dropped, so that they can.
        """
        for reader in self._readers:
            reader.resume()
            reader.drain()
        self._end.set_result(ended)
        if self.deadline is not None:
            self.deadline.cancel()
        for subscription in self._subscriptions:
            subscription.put(ended)
            subscription.end()
        self._subscriptions.clear()
        self._on_room()
        if self._stdin is not None:
            self._stdin.close()
            self._stdin = None
        if self.command.terminal is not None:
            self.close()

    def close(self) -> None:
        """Close every descriptor."""
        for reader in self._readers:
            reader.close()
        if self._stdin is not None:
            self._stdin.close()

    def _sink(self, source: Source) -> Callable[[bytes], None]:
        def on_data(data: bytes) -> None:
            if not self._subscriptions:
                return
            if source == "pty":
                self._publish(Output(source, data))
                return
            admitted = self._limit.admit(data)
            if admitted:
                self._publish(Output(source, admitted))
            if note := self._limit.note(len(data) - len(admitted)):
                self._publish(Output("stderr", note))

        return on_data

    def _publish(self, output: Output) -> None:
        for subscription in self._subscriptions:
            subscription.put(output, len(output.data))
            if subscription.full:
                for reader in self._readers:
                    reader.pause()

    def _on_room(self) -> None:
        if not any(subscription.full for subscription in self._subscriptions):
            for reader in self._readers:
                reader.resume()
