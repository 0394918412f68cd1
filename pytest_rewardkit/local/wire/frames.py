"""Frames of JSON, with file descriptors, over a connected UNIX stream socket.

A frame is a header (4 bytes big-endian length of the body, 2 bytes big-endian number of descriptors) and a body: one
JSON object in ASCII. Its descriptors are sent as ``SCM_RIGHTS`` on the frame's first byte; the receiver keeps them in
order and gives each frame its own. Anything that breaks these rules raises :class:`ChannelError`: the other side may be
a candidate's process, so nothing is repaired and nothing is unbounded.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_rewardkit.local.errors import ChannelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_FRAME_BYTES = 16 * 2**20
MAX_DESCRIPTORS = 64

_HEADER = struct.Struct("!IH")
# Adding Python's flags takes longer than the calls.
_CLOSE_ON_EXEC = int(socket.MSG_CMSG_CLOEXEC)
_CUT = int(socket.MSG_CTRUNC)
# Small enough that malloc keeps the buffer. A larger one would be mapped and unmapped at each read.
_READ_BYTES = 64 * 2**10

Message = dict[str, Any]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Looked up once, because a candidate in a kernel may replace parts of json and socket.
_to_json = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder(parse_constant=_refuse_constant).decode
_send = socket.socket.send
_sendmsg = socket.socket.sendmsg
_recv = socket.socket.recv
_recvmsg = socket.socket.recvmsg


@dataclass(frozen=True, slots=True)
class Frame:
    """One message and the descriptors that came with it; the receiver of the frame owns them.

    Parameters:
        message: the message.
        descriptors: the descriptors that came with it.
        size: the message's length in bytes.
    """

    message: Message
    descriptors: tuple[int, ...] = ()
    size: int = 0

    def close(self) -> None:
        """Close the descriptors that came with the frame."""
        close_all(self.descriptors)


def encode(message: Message, descriptor_count: int = 0) -> bytes:
    """Return the bytes of one frame.

    Raises:
        ValueError: the message is too long, contains NaN or infinity, or announces too many descriptors.
        TypeError: part of the message is not JSON.
    """
    body = _to_json(message).encode("ascii")
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"a message of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}")
    if descriptor_count > MAX_DESCRIPTORS:
        raise ValueError(f"{descriptor_count} descriptors are over the limit of {MAX_DESCRIPTORS} a frame")
    return _HEADER.pack(len(body), descriptor_count) + body


class FrameDecoder:
    """Turns received bytes and descriptors into frames.

    Parameters:
        max_descriptors: how many descriptors may wait for their frame. With 0, a frame that has any is refused.
    """

    def __init__(self, max_descriptors: int = MAX_DESCRIPTORS) -> None:
        self._max_descriptors = max_descriptors
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()

    def feed(self, data: bytes, descriptors: Iterable[int] = ()) -> None:
        """Take the result of one read; the decoder owns the descriptors from here on."""
        self._buffer += data
        self._descriptors.extend(descriptors)

    def frames(self) -> Iterator[Frame]:
        """Yield each complete frame, oldest first.

        Raises:
            ChannelError: the next frame breaks the format.
        """
        while len(self._buffer) >= _HEADER.size:
            length, count = _HEADER.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES:
                raise ChannelError(f"a frame of {length} bytes is over the limit of {MAX_FRAME_BYTES}")
            if count > len(self._descriptors):
                raise ChannelError(f"{count} descriptors announced, {len(self._descriptors)} received")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield Frame(_parse(body), tuple(self._descriptors.popleft() for _ in range(count)), length)
        if len(self._descriptors) > self._max_descriptors:
            raise ChannelError("descriptors without frames")

    def close(self) -> None:
        """Close the descriptors whose frame never came."""
        close_all(self._descriptors)
        self._descriptors.clear()


def _parse(body: bytes) -> Message:
    try:
        message = _from_json(body.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ChannelError(f"the body is not JSON in ASCII: {error}") from error
    if not isinstance(message, dict):
        raise ChannelError(f"the body is a {type(message).__name__}, not an object")
    return message


def send_some(sock: socket.socket, data: memoryview, descriptors: Sequence[int]) -> int:
    """Send what the socket takes at once, the descriptors with the first byte; return the number of bytes sent."""
    if not descriptors:
        return _send(sock, data)
    return _sendmsg(sock, [data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def receive_some(sock: socket.socket, max_descriptors: int, flags: int) -> tuple[bytes, list[int]]:
    """Return the result of one read: no bytes if the other side has closed.

    Raises:
        ChannelError: too many descriptors came.
    """
    if not max_descriptors:
        # A plain receive makes the kernel drop descriptors that nobody asked for.
        return _recv(sock, _READ_BYTES, flags), []
    item_size = array.array("i").itemsize
    data, ancillary, result_flags, _ = _recvmsg(
        sock, _READ_BYTES, socket.CMSG_SPACE(max_descriptors * item_size), flags | _CLOSE_ON_EXEC
    )
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[: len(payload) - len(payload) % item_size])
    if result_flags & _CUT:
        close_all(descriptors)
        raise ChannelError(f"more than {max_descriptors} descriptors at once")
    return data, descriptors.tolist()


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors, whatever state they are in."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
