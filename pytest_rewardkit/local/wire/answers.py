"""Checks a guest's answers: the guest runs beside a candidate, and may itself be one."""

from __future__ import annotations

import os
import re
import socket
import stat
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.errors import ChannelError

if TYPE_CHECKING:
    import asyncio

    from pytest_rewardkit.local.wire.peer import GuestAnswer

Entry = dict[str, Any]
"""A file as envd describes it: EntryInfo in proto3 JSON."""


def require_descriptors(answer: GuestAnswer, count: int) -> None:
    """Refuses an answer with another number of descriptors. Raises ChannelError, as all of these functions do."""
    if len(answer.descriptors) != count:
        raise ChannelError(f"an answer with {len(answer.descriptors)} descriptors instead of {count}")


def nothing(answer: GuestAnswer) -> None:
    """Accepts an answer that only says that the request was done."""
    require_descriptors(answer, 0)


_ENTRY_TYPES: dict[str, type] = {
    "name": str,
    "type": str,
    "path": str,
    "size": str,
    "mode": int,
    "permissions": str,
    "owner": str,
    "group": str,
    "modifiedTime": str,
    "symlinkTarget": str,
    "metadata": dict,
}


_KINDS = ("FILE_TYPE_FILE", "FILE_TYPE_DIRECTORY", "FILE_TYPE_SYMLINK")
_SIZE = re.compile(r"[0-9]{1,18}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z")


def checked_entry(value: object) -> Entry:
    """A checked entry."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not isinstance(value.get("path"), str):
        raise ChannelError("an entry must have a name and a path")
    for name, item in value.items():
        if name not in _ENTRY_TYPES or type(item) is not _ENTRY_TYPES[name]:
            raise ChannelError(f"an entry's field {name[:40]!r} is not as it should be")
    # A client would take an entry that it cannot read for a fault of the server.
    if (
        value.get("type", _KINDS[0]) not in _KINDS
        or not _SIZE.fullmatch(value.get("size", "0"))
        or not 0 <= value.get("mode", 0) < 2**32
        or ("modifiedTime" in value and not _TIME.fullmatch(value["modifiedTime"]))
    ):
        raise ChannelError("an entry's kind, size, mode or time is none")
    if not all(isinstance(item, str) for item in value.get("metadata", {}).values()):
        raise ChannelError("an entry's metadata must be strings")
    return value


def entry(answer: GuestAnswer) -> Entry:
    """An answer about one file."""
    require_descriptors(answer, 0)
    return checked_entry(answer.fields.get("entry"))


def entries(answer: GuestAnswer) -> list[Entry]:
    """An answer about the files in a directory."""
    require_descriptors(answer, 0)
    found = answer.fields.get("entries")
    if not isinstance(found, list):
        raise ChannelError("entries must be an array")
    return [checked_entry(value) for value in found]


def regular_file(answer: GuestAnswer) -> tuple[int, Entry]:
    """An answer with an opened file and its entry; the caller owns the descriptor."""
    require_descriptors(answer, 1)
    checked = checked_entry(answer.fields.get("entry"))
    # Reading and writing a regular file cannot block the server. The descriptor of a pipe or a device could.
    if not stat.S_ISREG(os.fstat(answer.descriptors[0]).st_mode):
        raise ChannelError("an opened file is no regular file")
    return answer.descriptors[0], checked


def tcp_socket(answer: GuestAnswer) -> socket.socket:
    """An answer with a TCP socket, which the caller owns."""
    return _internet_socket(answer, socket.SOCK_STREAM)


def udp_socket(answer: GuestAnswer) -> socket.socket:
    """An answer with a UDP socket, which the caller owns."""
    return _internet_socket(answer, socket.SOCK_DGRAM)


def close_opened(opened: asyncio.Future[tuple[int, Entry]]) -> None:
    """Close the file of an answer that nobody waits for any more."""
    if not opened.cancelled() and opened.exception() is None:
        os.close(opened.result()[0])


def _internet_socket(answer: GuestAnswer, kind: socket.SocketKind) -> socket.socket:
    require_descriptors(answer, 1)
    found = socket.socket(fileno=os.dup(answer.descriptors[0]))
    os.close(answer.descriptors[0])
    if found.family != socket.AF_INET or found.type != kind:
        found.close()
        raise ChannelError("a socket is not of the kind that was asked for")
    return found
