"""Reading from and writing to pipes whose other end a candidate holds."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from typing import TYPE_CHECKING

from pytest_rewardkit.local.wire.share import SharedSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.wire.share import Share

READ_BYTES = 32 * 2**10
DRAIN_BYTES = 2**20


class PipeReader:
    """Reads a descriptor without blocking, as data comes.

    Parameters:
        descriptor: a pipe's read end or a terminal's master; the reader owns it.
        on_data: called with each chunk of at most `READ_BYTES`.
        on_end: called once, when no more can come.
        share: how much of the loop's time reading may take; None for no limit.
    """

    def __init__(
        self,
        descriptor: int,
        on_data: Callable[[bytes], None],
        on_end: Callable[[], None] = lambda: None,
        *,
        share: Share | None = None,
    ) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._on_data = on_data
        self._on_end = on_end
        self._closed = False
        self._source = SharedSource(descriptor, self._read, share)

    @property
    def closed(self) -> bool:
        """Whether no more can come."""
        return self._closed

    def pause(self) -> None:
        """Stop reading; the writer blocks when the pipe is full."""
        if not self._closed:
            self._source.stop()

    def resume(self) -> None:
        """Read again after `pause`."""
        if not self._closed:
            self._source.go_on()

    def drain(self) -> None:
        """Read at once what is there, up to `DRAIN_BYTES`, because the writer may write forever."""
        left = DRAIN_BYTES
        while left > 0 and (count := self._read()):
            left -= count

    def close(self) -> None:
        """Stop reading and close the descriptor. `on_end` is not called."""
        if not self._closed:
            self._closed = True
            self._source.close()
            os.close(self._descriptor)

    def _read(self) -> int:
        if self._closed:
            return 0
        self._source.begin()
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            data = b""  # a terminal whose other side is closed gives EIO
        if data:
            self._on_data(data)
            if not self._closed:
                self._source.end()
        else:
            self.close()
            self._on_end()
        return len(data)


class PipeWriter:
    """Writes to a descriptor in order, without blocking the loop.

    Parameters:
        descriptor: a pipe's write end or a terminal's master; the writer owns it.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[tuple[memoryview, asyncio.Future[None]]] = deque()
        self._closed = False
        self._closing = False

    @property
    def closed(self) -> bool:
        """Whether the descriptor is closed."""
        return self._closed

    async def write(self, data: bytes) -> None:
        """Write all of `data`; return when the pipe has taken it.

        Raises:
            BrokenPipeError: nobody reads any more, or the pipe is closed.
        """
        if self._closed or self._closing:
            raise BrokenPipeError("stdin is closed")
        future: asyncio.Future[None] = self._loop.create_future()
        self._outgoing.append((memoryview(data), future))
        if len(self._outgoing) == 1:
            self._write()
        await future

    def close_when_written(self) -> None:
        """Close once the waiting data has been written."""
        self._closing = True
        if not self._outgoing:
            self.close()

    def close(self) -> None:
        """Close at once; callers that wait get BrokenPipeError."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_writer(self.descriptor)
        os.close(self.descriptor)
        for _, future in self._outgoing:
            if not future.done():
                future.set_exception(BrokenPipeError("stdin is closed"))
        self._outgoing.clear()

    def _write(self) -> None:
        while self._outgoing:
            data, future = self._outgoing[0]
            try:
                count = os.write(self.descriptor, data) if data else 0
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self.descriptor, self._write)
                return
            except OSError:
                self.close()
                return
            if count < len(data):
                self._outgoing[0] = (data[count:], future)
                continue
            self._outgoing.popleft()
            with contextlib.suppress(asyncio.InvalidStateError):
                future.set_result(None)
        self._loop.remove_writer(self.descriptor)
        if self._closing:
            self.close()
