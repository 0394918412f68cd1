"""A sandbox's use of the machine, seen from outside."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.local.counted_share import processes_below, threads_below

if TYPE_CHECKING:
    from pytest_rewardkit.local.limits import Limits

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """One measurement: processor time in percent of one processor, sizes in bytes."""

    at: datetime
    cpu_count: int
    cpu_percent: float
    memory_used: int
    memory_total: int
    disk_used: int
    disk_total: int


class Meter:
    """Measures one sandbox.

    Parameters:
        pid: its first process, by its number outside.
        limits: what it may use.
    """

    def __init__(self, pid: int, limits: Limits) -> None:
        self.cpu_count = len(os.sched_getaffinity(0))
        self._pid = pid
        self._limits = limits
        self._last = (time.monotonic(), 0.0)

    def measure(self) -> Usage:
        """The current usage; processor time is counted since the last measurement."""
        seconds, memory = 0.0, 0
        for process in processes_below(self._pid):
            used_seconds, used_memory = _usage(process)
            seconds += used_seconds
            memory += used_memory
        now = time.monotonic()
        then, before = self._last
        self._last = (now, seconds)
        percent = max(seconds - before, 0) / max(now - then, 1 / _TICKS_A_SECOND) * 100
        return Usage(
            at=datetime.now(UTC),
            cpu_count=self.cpu_count,
            cpu_percent=round(percent, 2),
            memory_used=memory,
            memory_total=self._limits.memory_mb * 2**20,
            disk_used=_disk_used(self._pid),
            disk_total=self._limits.disk_mb * 2**20,
        )

    def threads(self) -> dict[str, list[int]]:
        """For each thread's number, the nanoseconds that it has run and has waited for a processor."""
        return threads_below(self._pid)


def _usage(pid: int) -> tuple[float, int]:
    """Seconds of processor time, and bytes of memory that the process does not share."""
    try:
        # The program's name is in parentheses and may hold any characters.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        resident, shared = map(int, Path(f"/proc/{pid}/statm").read_bytes().split()[1:3])
    except OSError:
        return 0.0, 0
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND, (resident - shared) * _PAGE_BYTES


def _disk_used(pid: int) -> int:
    try:
        status = os.statvfs(f"/proc/{pid}/root/home/user")
        host = os.statvfs("/")
    except OSError:
        return 0  # this process may not see it
    if status.f_fsid == host.f_fsid:
        return 0  # no file system of its own
    return (status.f_blocks - status.f_bfree) * status.f_frsize
