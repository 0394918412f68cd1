"""Which descriptors a forked process keeps."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST_AFTER_STDIO: Final = 3


def close_all(numbers: Iterable[int]) -> None:
    """Close these descriptors; those that are closed already do no harm."""
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
