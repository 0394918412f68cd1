"""The processes below a process, as /proc shows them, including those that have ended and wait to be reaped."""

from __future__ import annotations

import contextlib
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def descendants(pid: int, *, spare: Collection[int] = ()) -> list[int]:
    """Return the processes below `pid`, parents before their children.

    Parameters:
        spare: children of `pid` that are left out, with all below them.
    """
    children = _children if _kernel_lists_children() else _scan()
    found = [child for child in children(pid) if child not in spare]
    for process in found:
        found.extend(children(process))
    return found


@cache
def _kernel_lists_children() -> bool:
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        # A child belongs to the thread that forked it.
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found.extend(int(child) for child in file.read().split())
    return found


def _scan() -> Callable[[int], list[int]]:
    """Look at all processes, for kernels that do not list children."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            children.setdefault(_parent(int(name)), []).append(int(name))
    return lambda pid: children.get(pid, [])


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The program's name is in parentheses and may hold any characters.
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0
