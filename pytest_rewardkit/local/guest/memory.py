"""Watches how much memory each sandbox's processes take together, because limits hold only for a single process.

A sandbox is checked again before it could reach its limit, even if it allocates as fast as a machine can. It is checked
often if it is near its limit and seldom if it is small, so that a hundred idle sandboxes cost next to nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import Final

from pytest_rewardkit.local.guest import process_tree

_MIB: Final = 2**20
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_KIB: Final = 1024
# Bytes a second that all processors together can take at most: faulting in a page of 4 KiB takes some 2 µs.
_FASTEST_GROWTH: Final = 2 * 2**30 * max(1, (os.cpu_count() or 1) // 2)
_SHORTEST_WAIT: Final = 0.05
_MAX_WAIT: Final = 1.0


@dataclass(slots=True)
class _WatchedSandbox:
    limit: int
    due: float


class MemoryWatch:
    """Checks the memory of sandboxes in turn."""

    def __init__(self) -> None:
        self._watched: dict[int, _WatchedSandbox] = {}

    def add(self, pid: int, limit_mb: int) -> None:
        """Watch a sandbox, given its first process."""
        self._watched[pid] = _WatchedSandbox(limit_mb * _MIB, time.monotonic() + _SHORTEST_WAIT)

    def remove(self, pid: int) -> None:
        """Stop watching it."""
        self._watched.pop(pid, None)

    def wait_ms(self) -> int | None:
        """Return in how many milliseconds to check again; None if there is nothing to watch."""
        if not self._watched:
            return None
        soonest = min(watched.due for watched in self._watched.values())
        return max(0, int((soonest - time.monotonic()) * 1000) + 1)

    def exceeding(self) -> list[int]:
        """Check the sandboxes that are due; return those that are over their limit."""
        found: list[int] = []
        now = time.monotonic()
        for pid, watched in self._watched.items():
            if watched.due > now:
                continue
            used = self._used(pid, watched.limit)
            wait = max((watched.limit - used) / _FASTEST_GROWTH, _SHORTEST_WAIT)
            if used > watched.limit:
                found.append(pid)
                # Killed processes take a while to free their memory, which must not count against the next ones.
                wait = _MAX_WAIT
            watched.due = now + min(wait, _MAX_WAIT)
        return found

    def _used(self, pid: int, limit: int) -> int:
        processes = [pid, *process_tree.descendants(pid)]
        resident = sum(self._resident(process) for process in processes)
        if resident <= limit:
            return resident
        # This counts shared pages once for each process. The exact figure takes longer.
        return sum(self._proportional(process) for process in processes)

    def _resident(self, pid: int) -> int:
        fields = _read(f"/proc/{pid}/statm").split()
        return int(fields[1]) * _PAGE_BYTES if fields else 0

    def _proportional(self, pid: int) -> int:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * _KIB
        return self._resident(pid)


def _read(path: str) -> bytes:
    # A process may end at any moment, and another user's process may be unreadable.
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read()
    return b""
