"""The share of a run's time that counts: all but the waits for a processor that others held, as the kernel reports.

Standard library only, because it also runs in sandboxes.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_LIMITS = 10
"""How many times its limit a run may take by the wall clock, however long it had to wait."""

MAX_THREADS = 256

_OF = ":"

Threads = dict[str, list[int]]
"""For each thread's number, the nanoseconds that it has run and has waited for a processor."""


def counted_share(before: Mapping[str, list[int]], after: Mapping[str, list[int]], seconds: float) -> float:
    """Return the share in (0, 1] of the time between two looks that counts.

    Time that the threads themselves ran counts, on any number of processors: threads that wait for each other lose
    nothing. The waits of those who pass on requests and answers (`waits_here`) come on top.
    """
    ran = 0
    longest: dict[str, int] = {}
    for thread, (running, waiting) in after.items():
        ran_before, waited_before = before.get(thread, (0, 0))
        ran += running - ran_before
        party, _, _ = thread.rpartition(_OF)
        longest[party] = max(longest.get(party, 0), waiting - waited_before)
    lost = min(sum(longest.values()) / 1e9, seconds - ran / 1e9)
    return 1.0 if lost <= 0 or seconds <= 0 else max(1.0 - lost / seconds, 1.0 / MAX_LIMITS)


def threads_below(pid: int) -> Threads:
    """Return the threads of a process and of all below it; those that cannot be seen are left out."""
    return {thread: times for process in processes_below(pid) for thread, times in _threads_of(f"/proc/{process}/task")}


def waits_here(party: str) -> Threads:
    """Return how long each thread of this process has waited, for one who passes on what a run asks and answers."""
    return {f"{party}{_OF}{thread}": [0, waiting] for thread, (_, waiting) in _threads_of("/proc/self/task")}


def processes_below(pid: int) -> Iterator[int]:
    """Yield a process, and all below it that can be seen."""
    pending = [pid]
    while pending:
        process = pending.pop()
        yield process
        for thread in _listed(f"/proc/{process}/task"):
            with suppress(OSError, ValueError):
                pending.extend(map(int, _words(f"/proc/{process}/task/{thread}/children")))


def _threads_of(directory: str) -> Iterator[tuple[str, list[int]]]:
    for thread in _listed(directory):
        # It may have ended meanwhile, or this kernel does not count.
        with suppress(OSError, ValueError):
            running, waiting, _ = _words(f"{directory}/{thread}/schedstat")
            yield thread, [int(running), int(waiting)]


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))[:MAX_THREADS]
    except OSError:
        return []


def _words(path: str) -> list[str]:
    with open(path, encoding="ascii") as file:
        return file.read().split()


class Clock:
    """Counts the time of this process, with all below it, from now on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before = _own_threads()

    def share(self) -> float:
        """The share of the time since then that counts."""
        return counted_share(self._before, _own_threads(), time.monotonic() - self._began)

    def left(self, seconds: float, *, enough: float) -> float:
        """How much of `seconds` is left, or at least whether `enough` is, which takes no look at the threads."""
        passed = time.monotonic() - self._began
        return seconds - passed if seconds - passed >= enough else seconds - passed * self.share()


def _own_threads() -> Threads:
    # Code that runs here may have replaced anything; then all time counts.
    try:
        return threads_below(os.getpid())
    except Exception:
        return {}
