"""The server's end of a channel: it calls back from an asyncio loop and never blocks."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import ChannelError
from pytest_rewardkit.local.wire.frames import (
    MAX_DESCRIPTORS,
    Frame,
    FrameDecoder,
    Message,
    close_all,
    encode,
    receive_some,
    send_some,
)
from pytest_rewardkit.local.wire.share import SharedSource

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from pytest_rewardkit.local.wire.share import Share


class AsyncChannel:
    """The end that lives in an asyncio loop: frames come by callback, sending never blocks.

    Parameters:
        sock: a connected AF_UNIX SOCK_STREAM socket; the channel owns it.
        on_frame: called with each frame, in order; it owns the frame's descriptors. If the message breaks the protocol,
            it may raise ChannelError, which closes the channel.
        on_close: called once, with None if the other side closed, or with the error if the other side broke the format
            or the socket failed. Not called after :meth:`close`.
        max_descriptors: how many descriptors the other side may send ahead; 0 refuses all of them.
        share: how much of the loop's time the frames may take; None for no limit.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_frame: Callable[[Frame], None],
        on_close: Callable[[Exception | None], None],
        *,
        max_descriptors: int = MAX_DESCRIPTORS,
        share: Share | None = None,
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._on_frame = on_frame
        self._on_close = on_close
        self._max_descriptors = max_descriptors
        self._decoder = FrameDecoder(max_descriptors)
        self._outgoing: deque[tuple[memoryview, list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._unhandled = False
        self._source = SharedSource(sock, self._readable, share)

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent or received."""
        return self._closed

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one frame; queue what the socket does not take now. The caller may close its descriptors at once.

        Raises:
            ConnectionError: the channel is closed.
        """
        if self._closed:
            raise ConnectionError("the channel is closed")
        data = memoryview(encode(message, len(descriptors)))
        if not self._outgoing:
            try:
                sent = send_some(self._socket, data, descriptors)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._fail(error)
                raise ConnectionError("the other side of the channel is gone") from error
            if sent == len(data):
                return
            if sent:
                data, descriptors = data[sent:], ()
            self._loop.add_writer(self._socket, self._writable)
        self._outgoing.append((data, [os.dup(descriptor) for descriptor in descriptors]))

    def pause_reading(self) -> None:
        """Stop reading, so that the other side's sends block once the socket is full."""
        if not self._closed:
            self._source.stop()

    def resume_reading(self) -> None:
        """Read again after :meth:`pause_reading`."""
        if not self._closed and self._source.stopped:
            self._source.go_on()
            if self._unhandled:
                self._loop.call_soon(self._handle)

    def close(self) -> None:
        """Close the socket, and every descriptor that waits to be sent or taken. Does nothing if already closed."""
        if self._closed:
            return
        self._closed = True
        self._source.close()
        if self._outgoing:
            self._loop.remove_writer(self._socket)
        self._socket.close()
        self._decoder.close()
        while self._outgoing:
            close_all(self._outgoing.popleft()[1])

    def _readable(self) -> None:
        try:
            data, descriptors = receive_some(self._socket, self._max_descriptors, 0)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionError:
            # The other side closed before it had read everything.
            self._fail(None)
            return
        except (ChannelError, OSError) as error:
            self._fail(error)
            return
        if not data:
            self._fail(None)
            return
        self._decoder.feed(data, descriptors)
        self._handle()

    def _handle(self) -> None:
        """Handle the frames that have come; after some of them, let other channels have their turn."""
        if self._closed or self._source.stopped:
            return
        self._source.begin()
        self._unhandled = False
        try:
            for frame in self._decoder.frames():
                self._deliver(frame)
                if self.closed:
                    return
                if self._source.stopped or self._source.overdue:
                    self._unhandled = True
                    break
        except ChannelError as error:
            self._fail(error)
            return
        self._source.end(self._handle if self._unhandled and not self._source.stopped else None)

    def _deliver(self, frame: Frame) -> None:
        try:
            self._on_frame(frame)
        except ChannelError:
            raise
        except Exception as error:
            # If the handler of one frame fails, the frames behind it must not be lost.
            self._loop.call_exception_handler({"message": "a channel's frame handler failed", "exception": error})

    def _writable(self) -> None:
        while self._outgoing:
            data, descriptors = self._outgoing[0]
            try:
                sent = send_some(self._socket, data, descriptors)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._fail(error)
                return
            close_all(descriptors)
            if sent < len(data):
                self._outgoing[0] = (data[sent:], [])
                return
            self._outgoing.popleft()
        self._loop.remove_writer(self._socket)

    def _fail(self, error: Exception | None) -> None:
        if not self._closed:
            self.close()
            self._on_close(error)
