"""Inspects processes from outside, for tests of what remains of them."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PATIENCE_SECONDS = 60.0
"""After this time, an awaited event will not come; a busy machine needs a tenth of it."""


def descendants(pid: int) -> set[int]:
    """Every process that descends from `pid`, without itself."""
    found: set[int] = set()
    pending = [pid]
    while pending:
        for task in Path(f"/proc/{pending.pop()}/task").glob("*/children"):
            try:
                children = {int(child) for child in task.read_text().split()}
            except OSError:
                continue
            pending.extend(children - found)
            found |= children
    return found


def watch(pids: Iterable[int]) -> list[int]:
    """A descriptor for each process, by which `all_end` recognises it even if its number is reused."""
    descriptors = []
    for pid in pids:
        try:
            descriptors.append(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
    return descriptors


def all_end(descriptors: Iterable[int]) -> bool:
    """Whether every watched process ends; waits up to the tests' patience. Closes the descriptors."""
    end = time.monotonic() + PATIENCE_SECONDS
    ended = True
    for descriptor in descriptors:
        readable, _, _ = select.select([descriptor], [], [], max(end - time.monotonic(), 0))
        ended = ended and bool(readable)
        os.close(descriptor)
    return ended


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether `condition` comes true within the tests' patience."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def open_files(pid: int) -> int:
    """How many descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
