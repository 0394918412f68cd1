"""Frames of JSON, with file descriptors, over a connected UNIX stream socket.

A frame is a header (4 bytes big-endian length of the body, 2 bytes big-endian number of descriptors) and a body: one
JSON object in ASCII. Its descriptors ride as ``SCM_RIGHTS`` on the frame's first byte; the receiver keeps what arrives
in order and gives each frame its own. Whatever breaks these rules raises :class:`ChannelError`: the other side may be a
candidate's process, so nothing is repaired and nothing is unbounded.

:class:`Channel` blocks, :class:`AsyncChannel` calls back from an asyncio loop. Both are thin; the format is in
:func:`encode` and :class:`Decoder`.
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
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_rewardkit.local.server.share import Share

MAX_FRAME_BYTES = 16 * 2**20
MAX_DESCRIPTORS = 64

_HEADER = struct.Struct("!IH")
# Small enough for malloc to keep the buffer, which it else maps and unmaps at each read.
_READ_BYTES = 64 * 2**10

Message = dict[str, Any]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Looked up once: in a kernel, a candidate may put its own things in the place of json's and socket's.
_to_json = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder(parse_constant=_refuse_constant).decode
_send = socket.socket.send
_sendmsg = socket.socket.sendmsg
_recv = socket.socket.recv
_recvmsg = socket.socket.recvmsg


@dataclass(frozen=True, slots=True)
class Frame:
    """One message and the descriptors that came with it; whoever takes the frame owns them.

    Parameters:
        message: what was said.
        descriptors: what came along.
        size: how many bytes the message took.
    """

    message: Message
    descriptors: tuple[int, ...] = ()
    size: int = 0

    def close(self) -> None:
        """Close the descriptors that came with the frame."""
        _close_all(self.descriptors)


def encode(message: Message, descriptor_count: int = 0) -> bytes:
    """Return the bytes of one frame.

    Raises:
        ValueError: the message is too long, has NaN or infinity in it, or announces too many descriptors.
        TypeError: something in the message is not JSON.
    """
    body = _to_json(message).encode("ascii")
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"a message of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}")
    if descriptor_count > MAX_DESCRIPTORS:
        raise ValueError(f"{descriptor_count} descriptors are over the limit of {MAX_DESCRIPTORS} a frame")
    return _HEADER.pack(len(body), descriptor_count) + body


class Decoder:
    """Turns received bytes and descriptors into frames.

    Parameters:
        max_descriptors: how many descriptors may wait for their frame. With 0, a frame that has any is refused.
    """

    def __init__(self, max_descriptors: int = MAX_DESCRIPTORS) -> None:
        self._max_descriptors = max_descriptors
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()

    def feed(self, data: bytes, descriptors: Iterable[int] = ()) -> None:
        """Take what one read gave; the decoder owns the descriptors from here on."""
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
        _close_all(self._descriptors)
        self._descriptors.clear()


class Channel:
    """The blocking end, for one thread.

    Parameters:
        sock: a connected AF_UNIX SOCK_STREAM socket; the channel owns it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._decoder = Decoder()
        self._ready: deque[Frame] = deque()

    def fileno(self) -> int:
        """Return the socket's descriptor, for ``select`` and its kin."""
        return self._socket.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one frame whole. The caller keeps its own copies of the descriptors.

        Raises:
            OSError: the other side is gone.
        """
        data = memoryview(encode(message, len(descriptors)))
        while data:
            data = data[_send_some(self._socket, data, descriptors) :]
            descriptors = ()

    def receive(self) -> Frame | None:
        """Wait for the next frame; None when the other side has closed.

        Raises:
            ChannelError: what came is no frame.
        """
        while not self._ready:
            if not self._fill(0):
                return None
        return self._ready.popleft()

    def receive_available(self) -> list[Frame] | None:
        """Return the frames that have come, without waiting; None when the other side has closed.

        Raises:
            ChannelError: what came is no frame.
        """
        try:
            if not self._fill(socket.MSG_DONTWAIT) and not self._ready:
                return None
        except BlockingIOError:
            pass
        frames = list(self._ready)
        self._ready.clear()
        return frames

    def close(self) -> None:
        """Close the socket and every descriptor that nobody took."""
        self._socket.close()
        self._decoder.close()
        while self._ready:
            self._ready.popleft().close()

    def _fill(self, flags: int) -> bool:
        try:
            data, descriptors = _receive_some(self._socket, MAX_DESCRIPTORS, flags)
        except ConnectionError:
            # Closed by the other side before it had read everything.
            return False
        self._decoder.feed(data, descriptors)
        self._ready.extend(self._decoder.frames())
        return bool(data)


class AsyncChannel:
    """The end that lives in an asyncio loop: frames come by callback, sending never blocks.

    Parameters:
        sock: a connected AF_UNIX SOCK_STREAM socket; the channel owns it.
        on_frame: called with each frame, in order; it owns the frame's descriptors. It may raise ChannelError to say
            that the message breaks the protocol, which closes the channel.
        on_close: called once, with None when the other side closed and with the error when it broke the format or the
            socket failed. Not called after :meth:`close`.
        max_descriptors: how many descriptors the other side may send ahead; 0 refuses all of them.
        share: how much of the loop's time the frames may take; None for as much as they need.
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
        # The other end of a channel has no loop, and those who only look at the isolation are faster without.
        import asyncio

        from pytest_rewardkit.local.server.share import Source

        sock.setblocking(False)
        self._socket = sock
        self._on_frame = on_frame
        self._on_close = on_close
        self._max_descriptors = max_descriptors
        self._decoder = Decoder(max_descriptors)
        self._outgoing: deque[tuple[memoryview, list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._unhandled = False
        self._source = Source(sock, self._readable, share)

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent or received."""
        return self._closed

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one frame, or queue what the socket does not take now. The caller may close its descriptors at once.

        Raises:
            ConnectionError: the channel is closed.
        """
        if self._closed:
            raise ConnectionError("the channel is closed")
        data = memoryview(encode(message, len(descriptors)))
        if not self._outgoing:
            try:
                sent = _send_some(self._socket, data, descriptors)
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
        """Close the socket, and every descriptor that waits to be sent or taken. Harmless when closed."""
        if self._closed:
            return
        self._closed = True
        self._source.close()
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._decoder.close()
        while self._outgoing:
            _close_all(self._outgoing.popleft()[1])

    def _readable(self) -> None:
        try:
            data, descriptors = _receive_some(self._socket, self._max_descriptors, 0)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionError:
            # Closed by the other side before it had read everything.
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
        """Handle the frames that have come; after some of them, others than this channel have their turn."""
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
            # One frame's handler failing must not lose the frames behind it.
            self._loop.call_exception_handler({"message": "a channel's frame handler failed", "exception": error})

    def _writable(self) -> None:
        while self._outgoing:
            data, descriptors = self._outgoing[0]
            try:
                sent = _send_some(self._socket, data, descriptors)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._fail(error)
                return
            _close_all(descriptors)
            if sent < len(data):
                self._outgoing[0] = (data[sent:], [])
                return
            self._outgoing.popleft()
        self._loop.remove_writer(self._socket)

    def _fail(self, error: Exception | None) -> None:
        if not self._closed:
            self.close()
            self._on_close(error)


def _parse(body: bytes) -> Message:
    try:
        message = _from_json(body.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ChannelError(f"the body is not JSON in ASCII: {error}") from error
    if not isinstance(message, dict):
        raise ChannelError(f"the body is a {type(message).__name__}, not an object")
    return message


def _send_some(sock: socket.socket, data: memoryview, descriptors: Sequence[int]) -> int:
    if not descriptors:
        return _send(sock, data)
    return _sendmsg(sock, [data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def _receive_some(sock: socket.socket, max_descriptors: int, flags: int) -> tuple[bytes, list[int]]:
    if not max_descriptors:
        # A plain receive makes the kernel throw away descriptors that came uninvited.
        return _recv(sock, _READ_BYTES, flags), []
    item_size = array.array("i").itemsize
    data, ancillary, result_flags, _ = _recvmsg(
        sock, _READ_BYTES, socket.CMSG_SPACE(max_descriptors * item_size), flags | socket.MSG_CMSG_CLOEXEC
    )
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[: len(payload) - len(payload) % item_size])
    if result_flags & socket.MSG_CTRUNC:
        _close_all(descriptors)
        raise ChannelError(f"more than {max_descriptors} descriptors at once")
    return data, descriptors.tolist()


def _close_all(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
