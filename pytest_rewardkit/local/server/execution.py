"""One run of code in a context, from its submission to its end, as a stream of events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_rewardkit.local.server.output import OutputLimit, TextBuffer
from pytest_rewardkit.local.server.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Stream = Literal["stdout", "stderr"]

COALESCE_SECONDS = 0.05
FLUSH_BYTES = 256 * 2**10


@dataclass(frozen=True, slots=True)
class Started:
    """The code runs now; `count` is the context's number of executions."""

    count: int


@dataclass(frozen=True, slots=True)
class TextOutput:
    """Text that was written to a standard stream."""

    stream: Stream
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A value in its representations by MIME type; `main` for the value of the last expression."""

    data: Mapping[str, Any]
    main: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception, or the reason why the code did not reach its end."""

    name: str
    value: str
    traceback: str


Event = Started | TextOutput | Result | Failure

RESTARTED = Failure("ContextRestarting", "Context was restarted", "")
UNAVAILABLE = "ContextUnavailable"
"""The failure of code that never ran because the server could not start an interpreter."""

REFUSED = "ContextRefused"
"""Like `UNAVAILABLE`, but because of something in the sandbox."""

MEMORY_EXCEEDED = Failure("MemoryLimitExceeded", "The sandbox used more memory than it is allowed", "")


class Execution:
    """A submitted piece of code.

    Its listener is woken when the run ends, and before that at most every `COALESCE_SECONDS`. So two prints make one
    piece of text, and a short run makes one write.

    Parameters:
        code: what to run; "" for a call.
        envs: environment variables for this run alone.
        output_mb: how many MiB of text, and how many of results, are passed on; the rest is dropped.
        silent: run it for its effect, without counting it.
        call: a call of a function that interpreters have from the start (guest/execution.py).
    """

    def __init__(
        self,
        code: str,
        envs: Mapping[str, str] | None,
        output_mb: int,
        *,
        silent: bool = False,
        call: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.call = call
        self.envs = envs
        self.silent = silent
        self.on_room: Callable[[], None] = lambda: None
        self.events: Subscription[Event] = Subscription(lambda: self.on_room())
        self.done = False
        self._failed = False
        self._text_limit = OutputLimit(output_mb)
        self._result_limit = OutputLimit(output_mb)
        self._buffers: dict[Stream, TextBuffer] = {"stdout": TextBuffer(), "stderr": TextBuffer()}
        self._timer: asyncio.TimerHandle | None = None

    def write(self, stream: Stream, data: bytes) -> None:
        """Take output to a standard stream."""
        admitted = self._text_limit.admit(data)
        if admitted:
            self._buffers[stream].add(admitted)
        if note := self._text_limit.note(len(data) - len(admitted)):
            self._buffers["stderr"].add(note)
        if self._buffers[stream].size >= FLUSH_BYTES:
            self._wake()
        else:
            self._wake_soon()

    def put(self, event: Started | Result | Failure, size: int = 0) -> None:
        """Take any other event. Text that was written before it goes first; only the first failure counts.

        Parameters:
            event: the event.
            size: how many bytes its message took.
        """
        if isinstance(event, Failure):
            if self._failed:
                return
            self._failed = True
        if not isinstance(event, Started):
            self._flush()
        if not isinstance(event, Result) or self._result_limit.admit_whole(size):
            self.events.put(event, size, wake=False)
        elif note := self._result_limit.note(size):
            self._buffers["stderr"].add(note)
        self._wake_soon()

    def finish(self, failure: Failure | None = None) -> None:
        """End, after earlier output, and with a failure if there is one."""
        if self.done:
            return
        self.done = True
        self._flush(final=True)
        if failure is not None:
            self.events.put(failure)
        if self._timer is not None:
            self._timer.cancel()
        self.events.end()

    def _wake_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COALESCE_SECONDS, self._wake)

    def _wake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flush()
        self.events.wake()

    def _flush(self, *, final: bool = False) -> None:
        for stream, buffer in self._buffers.items():
            if text := buffer.take(final=final):
                self.events.put(TextOutput(stream, text), len(text), wake=False)
