"""Which descriptors a forked process keeps, and how to open a file so that no link leads astray."""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST_AFTER_STDIO: Final = 3
_PATH_ONLY: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def is_readable(number: int, seconds: float) -> bool:
    """Wait until a descriptor of any number can be read, or is at its end; False after so many seconds."""
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def close_all(numbers: Iterable[int]) -> None:
    """Close these descriptors, of which some may be closed already."""
    for number in numbers:
        with contextlib.suppress(OSError):
            os.close(number)


def keep_only(numbers: Iterable[int]) -> None:
    """Close every descriptor but the standard ones and these."""
    first = _FIRST_AFTER_STDIO
    for number in sorted(numbers):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def silence_stdio() -> None:
    """Point standard input, output and error at /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(_FIRST_AFTER_STDIO):
        os.dup2(null, number)
    if null >= _FIRST_AFTER_STDIO:
        os.close(null)


def open_without_links(top: bytes, names: list[bytes]) -> int:
    """Open the end of a path below a directory, without following links."""
    found = os.open(top, _PATH_ONLY | os.O_DIRECTORY)
    for depth, name in enumerate(names, start=1):
        outer = found
        try:
            found = os.open(name, _PATH_ONLY | (os.O_DIRECTORY if depth < len(names) else 0), dir_fd=outer)
        finally:
            os.close(outer)
    return found
