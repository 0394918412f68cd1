"""DNS queries (RFC 1035), passed on to the name servers that this machine itself uses.

These answer whichever address a sandbox asks. So a name server on this machine's loopback or in its private network
works, and a sandbox can reach it only with queries.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PORT: Final = 53
MAX_DATAGRAM_BYTES: Final = 65535

_RESOLVER_SETTINGS: Final = Path("/etc/resolv.conf")
_DEFAULT_SERVERS: Final = ("127.0.0.1",)
_MAX_SERVERS: Final = 3
_ANSWER_SECONDS: Final = 4.0
_IDLE_SECONDS: Final = 30.0

_HEADER: Final = struct.Struct("!HHHHHH")
_LENGTH: Final = struct.Struct("!H")
_RESPONSE: Final = 0x8000
_OPERATION: Final = 0x7800
_SERVER_FAILURE: Final = 2
_ECHOED_FLAGS: Final = 0x0100
_LABEL: Final = re.compile(rb"[a-z0-9_-]{1,63}", re.IGNORECASE)
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_TYPE_A: Final = 1
_CLASS_IN: Final = 1
_POINTER: Final = 0xC0
_MAX_LABEL: Final = 63


async def answer(query: bytes, kind: socket.SocketKind, may_ask: Callable[[str], bool]) -> bytes | None:
    """Ask the machine's name servers in turn.

    Parameters:
        query: a message from a sandbox.
        kind: `SOCK_DGRAM` or `SOCK_STREAM`: how the query came, and how it is sent.
        may_ask: whether the sandbox may query a name.

    Returns:
        The first answer; an answer that there is none, if no server answers or the query is not allowed; None if the
        message is not a query.
    """
    try:
        name, query = read_query(query)
    except ValueError:
        return None
    for server in _servers(_RESOLVER_SETTINGS) if may_ask(name) else ():
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await _ask(server, query, kind)
        except (OSError, TimeoutError):
            continue
    number, flags = _HEADER.unpack_from(query)[:2]
    failure = _RESPONSE | flags & _ECHOED_FLAGS | _SERVER_FAILURE
    return _HEADER.pack(number, failure, 0, 0, 0, 0)


async def serve_stream(inside: socket.socket, may_ask: Callable[[str], bool]) -> None:
    """Answer the queries on a connection from a sandbox, until it ends or is idle for too long.

    Raises:
        OSError: the connection has ended, or a message is not a query.
    """
    loop = asyncio.get_running_loop()
    while True:
        async with asyncio.timeout(_IDLE_SECONDS):
            query = await _read_message(inside)
        reply = await answer(query, socket.SOCK_STREAM, may_ask)
        if reply is None:
            raise ConnectionResetError("not a query")
        async with asyncio.timeout(_IDLE_SECONDS):
            await loop.sock_sendall(inside, _LENGTH.pack(len(reply)) + reply)


def found_addresses(reply: bytes) -> tuple[str, list[IPv4Address]]:
    """The name in a reply, in the form of :func:`_question`, and the addresses in its answer.

    Raises:
        ValueError: it is not a reply to one question.
    """
    try:
        answers = _HEADER.unpack_from(reply)[3]
        name, position = _question(reply)
        found: list[IPv4Address] = []
        for _ in range(answers):
            position = _labels(reply, position)[1]
            kind, network, _, length = _RECORD.unpack_from(reply, position)
            position += _RECORD.size
            if (kind, network, length) == (_TYPE_A, _CLASS_IN, 4):
                found.append(IPv4Address(reply[position : position + length]))
            position += length
    except (IndexError, struct.error) as error:
        raise ValueError("the reply is cut off") from error
    return name, found


def read_query(query: bytes) -> tuple[str, bytes]:
    """The name that a query asks for, and a query that holds only this question.

    Other contents, in records or behind a pointer, would otherwise get out with an allowed question.

    Raises:
        ValueError: it is not a query with one question.
    """
    try:
        number, flags = _HEADER.unpack_from(query)[:2]
        if flags & (_RESPONSE | _OPERATION):
            raise ValueError("not a standard query")
        name, end = _question(query)
    except (IndexError, struct.error) as error:
        raise ValueError("the query is cut off") from error
    return name, _HEADER.pack(number, flags & _ECHOED_FLAGS, 1, 0, 0, 0) + query[_HEADER.size : end]


def _question(message: bytes) -> tuple[str, int]:
    """The name that a message asks for, in lower case, and the position after the question.

    A name with characters other than letters, digits, `-` and `_` belongs to no host, and is returned as "".
    """
    if _HEADER.unpack_from(message)[2] != 1:
        raise ValueError("not one question")
    labels, position = _labels(message, _HEADER.size, may_point=False)
    _QUESTION.unpack_from(message, position)
    plain = all(_LABEL.fullmatch(label) for label in labels)
    return (b".".join(labels).decode("ascii").lower() if plain else ""), position + _QUESTION.size


def _labels(message: bytes, position: int, *, may_point: bool = True) -> tuple[list[bytes], int]:
    """The labels of a name up to its end or its first pointer, and the position after it."""
    labels: list[bytes] = []
    while length := message[position]:
        if length >= _POINTER and may_point:
            return labels, position + 2
        if length > _MAX_LABEL:
            raise ValueError("not a label, or one in a question that points elsewhere")
        labels.append(message[position + 1 : position + 1 + length])
        position += 1 + length
    return labels, position + 1


def _servers(settings: Path) -> list[str]:
    try:
        lines = settings.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    found = [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]
    return (found or list(_DEFAULT_SERVERS))[:_MAX_SERVERS]


async def _ask(server: str, query: bytes, kind: socket.SocketKind) -> bytes:
    loop = asyncio.get_running_loop()
    family, _, _, _, address = socket.getaddrinfo(server, PORT, type=kind, flags=socket.AI_NUMERICHOST)[0]
    with socket.socket(family, kind | socket.SOCK_NONBLOCK) as sock:
        await loop.sock_connect(sock, address)
        if kind == socket.SOCK_STREAM:
            await loop.sock_sendall(sock, _LENGTH.pack(len(query)) + query)
            return await _read_message(sock)
        await loop.sock_sendall(sock, query)
        while True:
            reply = await loop.sock_recv(sock, MAX_DATAGRAM_BYTES)
            if reply[:2] == query[:2]:
                return reply


async def _read_message(sock: socket.socket) -> bytes:
    (length,) = _LENGTH.unpack(await _read_exactly(sock, _LENGTH.size))
    return await _read_exactly(sock, length)


async def _read_exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = await asyncio.get_running_loop().sock_recv(sock, count - len(data))
        if not chunk:
            raise ConnectionResetError("closed within a message")
        data += chunk
    return data
