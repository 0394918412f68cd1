"""Ends a sandbox's processes if they take more memory than they may, as the watch or its control group reports."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import confinement, killing
from pytest_rewardkit.local.guest.memory import MemoryWatch

if TYPE_CHECKING:
    import select
    import socket
    from collections.abc import Callable

    from pytest_rewardkit.local.guest.cgroups import ControlGroup
    from pytest_rewardkit.local.guest.plan import IsolationPlan


_SUSPECTED_SECONDS: Final = 2.0
"""How long a process may take to end after the kernel has given notice."""

_SUSPECTED_MS: Final = 50


@dataclass(slots=True)
class _Held:
    """A sandbox, and whether its processes are being ended."""

    link: socket.socket
    group: ControlGroup | None
    ending: bool = False


class Overuse:
    """The fork server's view of the memory of its sandboxes.

    Parameters:
        plan: the layers that sandboxes get.
        poll: reports that a group was at its limit, by descriptors that :meth:`heed` takes.
        give_up: ends a sandbox because the machine lacks memory.
    """

    def __init__(self, plan: IsolationPlan, poll: select.poll, give_up: Callable[[int], None]) -> None:
        self._plan = plan
        self._poll = poll
        self._give_up = give_up
        self._suspects: dict[int, float] = {}
        self._watch = MemoryWatch()
        self._held: dict[int, _Held] = {}
        self._notices: dict[int, int] = {}

    def add(self, pid: int, limit_mb: int | None, link: socket.socket, group: ControlGroup | None) -> None:
        """Look after a sandbox, given its first process."""
        self._held[pid] = _Held(link, group)
        if limit_mb is not None:
            self._watch.add(pid, limit_mb)
        if group is not None:
            self._notices[group.watch(self._poll)] = pid

    def remove(self, pid: int) -> bool:
        """Stop looking after it, which has ended; return whether it took too much when it ended."""
        self._watch.remove(pid)
        self._suspects.pop(pid, None)
        held = self._held.pop(pid)
        if held.group is not None:
            del self._notices[held.group.unwatch(self._poll)]
            return held.ending or held.group.has_exceeded()
        return held.ending

    def wait_ms(self) -> int | None:
        """Return in how many milliseconds to :meth:`look` again; None if there is nothing to look at."""
        wait = self._watch.wait_ms()
        return wait if not self._suspects else min(_SUSPECTED_MS, wait if wait is not None else _SUSPECTED_MS)

    def look(self) -> None:
        """End sandboxes that take too much, and those that suffer because others do so."""
        for pid in self._watch.exceeding():
            self._end(pid)
        now = time.monotonic()
        for pid, until in list(self._suspects.items()):
            group = self._held[pid].group
            if group is not None and group.suffers():
                del self._suspects[pid]
                self._give_up(pid)
            elif until < now:
                del self._suspects[pid]

    def heed(self, descriptor: int) -> None:
        """Take what `poll` has reported, if it is a group's notice."""
        pid = self._notices.get(descriptor)
        if pid is None or (group := self._held[pid].group) is None:
            return
        if group.has_killed():
            self._end(pid)
        else:
            # The kernel may be about to end processes of this sandbox.
            self._suspects[pid] = time.monotonic() + _SUSPECTED_SECONDS

    def freed(self, pid: int) -> None:
        """Note that all processes that had to end have ended, as the sandbox's guest reports."""
        held = self._held[pid]
        if held.group is not None:
            held.group.take_back_room()
            held.group.has_been_cleared()  # processes that the kernel ended meanwhile are part of this
        held.ending = False

    def _end(self, pid: int) -> None:
        """End a sandbox's processes, but not its guest, which tells the server why."""
        held = self._held[pid]
        if held.ending:
            return
        held.ending = True
        if held.group is not None:
            held.group.give_room()
        with contextlib.suppress(OSError):
            held.link.sendall(confinement.MEMORY_EXCEEDED)
        if not self._plan.process_namespace:
            # The guest cannot see the others' processes; in its own namespace it can end them all at once. Here it is
            # stopped meanwhile, because a process that it started now would be ended too.
            os.kill(pid, signal.SIGSTOP)
            killing.kill_descendants(pid)
            os.kill(pid, signal.SIGCONT)
