"""Faults of an answer on its way: cut off by a reset, or slow. Transports that replace a connection's own."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp import web

_HEAD_END: Final = b"\r\n\r\n"
_CHUNKED_END: Final = b"0\r\n\r\n"
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_INTERIM: Final = b"HTTP/1.1 1"
TICK_SECONDS: Final = 0.05


def reset(request: web.BaseRequest) -> None:
    """Ends a request's connection at once, so that its client sees a reset."""
    if (transport := request.transport) is not None:
        _reset(transport)


def spoil(request: web.BaseRequest, transport: Callable[[asyncio.Transport], _Spoilt]) -> None:
    """From now on, data that is written to a request's connection goes through another transport."""
    protocol = request.protocol
    if protocol.transport is not None:
        protocol.transport = cast("asyncio.Transport", transport(protocol.transport))


class _Spoilt(ABC):
    """A transport that treats written data in its own way, and leaves all else to the one below it."""

    def __init__(self, below: asyncio.Transport) -> None:
        self._below = below

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)

    @abstractmethod
    def write(self, data: bytes) -> None: ...

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))


class Cut(_Spoilt):
    """Passes on the beginning of one answer, and resets the connection.

    Parameters:
        below: the connection's own transport.
        share: how much of the answer's body is passed on, in [0, 1); None for nothing at all, not even its head.
        stream: how many bytes are passed on if the length of the body is not known in advance.
    """

    def __init__(self, below: asyncio.Transport, share: float | None, stream: int) -> None:
        super().__init__(below)
        self._share = share
        self._stream = stream
        self._answer = b""
        self._passed = 0
        self._over = False

    def write(self, data: bytes) -> None:
        if self._over:
            return
        self._answer += bytes(data)
        if self._answer.startswith(_INTERIM):
            self._below.write(self._answer)
            self._answer = b""
            return
        most = self._most()
        if most is None:
            return
        ended = self._answer.endswith(_CHUNKED_END)
        most = min(most, len(self._answer) - len(_CHUNKED_END)) if ended else most
        self._below.write(self._answer[self._passed : most])
        self._passed = min(most, len(self._answer))
        if ended or len(self._answer) >= most:
            self._over = True
            _reset(self._below)

    def _most(self) -> int | None:
        """How many bytes of the answer are passed on in all; None while its head is incomplete."""
        if self._share is None:
            return 0
        end = self._answer.find(_HEAD_END)
        if end < 0:
            return None
        length = _LENGTH.search(self._answer[:end])
        return end + len(_HEAD_END) + (int(int(length[1]) * self._share) if length else self._stream)


class Slow(_Spoilt):
    """Passes on a limited number of bytes a second.

    Parameters:
        below: the connection's own transport.
        speed: bytes a second.
    """

    def __init__(self, below: asyncio.Transport, speed: float) -> None:
        super().__init__(below)
        self._piece = max(1, int(speed * TICK_SECONDS))
        self._waiting = b""
        self._ticking = False
        self._closing = False

    def write(self, data: bytes) -> None:
        self._waiting += bytes(data)
        if not self._ticking:
            self._tick()

    def close(self) -> None:
        self._closing = True
        if not self._ticking:
            self._below.close()

    def is_closing(self) -> bool:
        return self._closing or self._below.is_closing()

    def _tick(self) -> None:
        self._ticking = bool(self._waiting) and not self._below.is_closing()
        if self._ticking:
            self._below.write(self._waiting[: self._piece])
            self._waiting = self._waiting[self._piece :]
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        elif self._closing:
            self._below.close()


def _reset(transport: asyncio.Transport) -> None:
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
