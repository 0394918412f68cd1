"""The blocking end of a channel, for guests and for other code without a loop."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

from pytest_rewardkit.local.wire.frames import (
    MAX_DESCRIPTORS,
    Frame,
    FrameDecoder,
    Message,
    encode,
    receive_some,
    send_some,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


_WITHOUT_WAITING = int(socket.MSG_DONTWAIT)


class Channel:
    """The blocking end, for one thread.

    Parameters:
        sock: a connected AF_UNIX SOCK_STREAM socket; the channel owns it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._decoder = FrameDecoder()
        self._ready: deque[Frame] = deque()

    def fileno(self) -> int:
        """Return the socket's descriptor, for ``select`` and similar functions."""
        return self._socket.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one frame whole. The caller keeps its own copies of the descriptors.

        Raises:
            OSError: the other side is gone.
        """
        data = memoryview(encode(message, len(descriptors)))
        while data:
            data = data[send_some(self._socket, data, descriptors) :]
            descriptors = ()

    def receive(self) -> Frame | None:
        """Wait for the next frame; None if the other side has closed.

        Raises:
            ChannelError: the bytes are not a frame.
        """
        while not self._ready:
            if not self._fill(0):
                return None
        return self._ready.popleft()

    def receive_available(self) -> list[Frame] | None:
        """Return the frames that have come, without waiting; None if the other side has closed.

        Raises:
            ChannelError: the bytes are not a frame.
        """
        try:
            if not self._fill(_WITHOUT_WAITING) and not self._ready:
                return None
        except BlockingIOError:
            pass
        frames = list(self._ready)
        self._ready.clear()
        return frames

    def close(self) -> None:
        """Close the socket and every descriptor that has not been taken."""
        self._socket.close()
        self._decoder.close()
        while self._ready:
            self._ready.popleft().close()

    def _fill(self, flags: int) -> bool:
        try:
            data, descriptors = receive_some(self._socket, MAX_DESCRIPTORS, flags)
        except ConnectionError:
            # The other side closed before it had read everything.
            return False
        self._decoder.feed(data, descriptors)
        self._ready.extend(self._decoder.frames())
        return bool(data)
