"""inotify: how the kernel tells of changes of files."""

from __future__ import annotations

import os
from typing import Final

from pytest_rewardkit.local.guest.libc import LIBC, c_path, check

# sys/inotify.h
IN_MODIFY: Final = 0x2
IN_ATTRIB: Final = 0x4
IN_MOVED_FROM: Final = 0x40
IN_MOVED_TO: Final = 0x80
IN_CREATE: Final = 0x100
IN_DELETE: Final = 0x200
IN_IGNORED: Final = 0x8000
IN_ONLYDIR: Final = 0x1000000
IN_ISDIR: Final = 0x40000000


def open_queue() -> int:
    """Return a descriptor that reports changes of files; it does not block, and programs do not inherit it."""
    descriptor: int = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    check(descriptor, "inotify_init1")
    return descriptor


def watch(descriptor: int, path: str, mask: int) -> int:
    """Have changes (IN_*) in a directory reported; return the number that the reports carry."""
    number: int = LIBC.inotify_add_watch(descriptor, c_path(path), mask)
    check(number, f"inotify_add_watch {path}")
    return number
