"""Control groups: the kernel's limits on a sandbox as a whole, if this process may make groups.

Version 2 is used if it controls memory, else version 1. If neither does, memory.py watches memory.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.cgroup_homes import V1, V2, Home, open_file, places, write
from pytest_rewardkit.local.guest.kill_count import KillCount
from pytest_rewardkit.local.guest.resource_limits import RESERVED_PROCESSES, ResourceLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.local.guest.cgroup_homes import Place

_MIB: Final = 2**20
OVERHEAD_MB: Final = 32
"""What the guest, an interpreter, and the kernel on their behalf take before a candidate has done anything."""

_MEMORY_LIMIT: Final = {V1: "memory.limit_in_bytes", V2: "memory.max"}
_SWAP_LIMIT: Final = {V1: "memory.memsw.limit_in_bytes", V2: "memory.swap.max"}
_KILL_COUNTS: Final = {V1: "memory.oom_control", V2: "memory.events"}
_LIMIT_HITS: Final = {V1: ("memory.failcnt", "memory.memsw.failcnt"), V2: ("memory.events",)}
_MACHINES_COUNTS: Final = "/proc/vmstat"
_ROOM: Final = 64 * _MIB
"""What a group may take beyond its limit while its processes end."""
_TRIAL: Final = ResourceLimits(memory_mb=64, processes=16)
# Processes that have ended may stay in their group for a moment.
_REMOVAL_SECONDS: Final = 1.0
_REMOVAL_PAUSE: Final = 0.01


class ControlGroup:
    """The control group of one sandbox.

    Parameters:
        version: V1 or V2.
        name: its name in each of `homes`.
        homes: the fork server's directories, memory's first.
        limits: what the sandbox may use.
        disk_in_memory: whether the sandbox's files lie in memory, and so count as memory.
    """

    def __init__(
        self, version: str, name: str, homes: Sequence[Home], limits: ResourceLimits, *, disk_in_memory: bool
    ) -> None:
        self._version = version
        self._name = name
        self._homes = homes
        self._directories: list[int] = []
        self._open: list[int] = []
        self._limit = _memory_limit(limits, disk_in_memory=disk_in_memory)
        try:
            for home in homes:
                self._directories.append(home.make(name))
            if self._limit is not None:
                self._limit_memory(self._limit)
            if limits.processes is not None:
                self._set("pids.max", str(limits.processes + RESERVED_PROCESSES))
            # Reading news from a descriptor takes it from all who share the descriptor.
            self.kills = self._kill_count()
            self._own_kills = self._kill_count()
            self._notice = self._own_kills.descriptors[0] if version == V2 else self._ask_for_notice()
        except BaseException:
            self.remove()
            raise

    @property
    def descriptor(self) -> int | None:
        """The group as ``syscalls.clone`` takes it; None if a process can only enter the group on its own."""
        return self._directories[0] if self._version == V2 else None

    def enter(self) -> None:
        """Move this process into the group, if it could not be cloned into it.

        The kernel waits some 10 ms, until every processor has looked up once. The wait takes no processor time.
        """
        if self._version == V1:
            for directory in self._directories:
                write(directory, "cgroup.procs", "0")

    def watch(self, poll: select.poll) -> int:
        """Have `poll` report when the group has been at its limit; return the descriptor that it reports."""
        poll.register(self._notice, select.POLLPRI if self._version == V2 else select.POLLIN)
        return self._notice

    def unwatch(self, poll: select.poll) -> int:
        """Stop `poll` from reporting it; return the descriptor."""
        poll.unregister(self._notice)
        return self._notice

    def has_killed(self) -> bool:
        """Return whether the group's own limit has ended processes, or is about to, since the last call."""
        if self._version == V2:
            return self._own_kills.risen()
        # The notice comes from groups around this one as well. The count rises a moment later.
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._notice)
            return self._own_kills.at_limit()
        return False

    def has_been_cleared(self) -> None:
        """Take every process that has ended until now as accounted for."""
        self.has_killed()
        self._own_kills.risen()

    def has_exceeded(self) -> bool:
        """Return whether the group's own limit has ended processes that are not accounted for."""
        return self._own_kills.risen()

    def give_room(self) -> None:
        """Let the group go over its limit while its processes end.

        A process that the kernel has ended keeps its memory until it runs for the last time, which takes long on a
        busy machine. If the guest needed a page meanwhile, the kernel would end the guest too.
        """
        if self._limit is not None:
            with contextlib.suppress(OSError):
                self._limit_memory(self._limit + _ROOM, raised=True)

    def take_back_room(self) -> None:
        """Hold the group to its limit again."""
        if self._limit is not None:
            # The kernel may refuse it as long as more is in use.
            with contextlib.suppress(OSError):
                self._limit_memory(self._limit)

    def suffers(self) -> bool:
        """Return whether processes had to end though the group was not at its own limit."""
        return self._own_kills.risen_for_others()

    def remove(self) -> bool:
        """Remove the group; if a process is still in it, keep it and return False. May be repeated."""
        for descriptor in (*self._directories, *self._open):
            os.close(descriptor)
        self._directories.clear()
        self._open.clear()
        gone = [home.remove(self._name) for home in self._homes]
        return all(gone)

    def _limit_memory(self, limit: int, *, raised: bool = False) -> None:
        # Linux 6.15 and later do not count hits of the limit with swap, so the other one has to be hit first.
        settings = [(_MEMORY_LIMIT[self._version], limit), (_SWAP_LIMIT[self._version], limit + _MIB)]
        if self._version == V2:
            settings[1] = (_SWAP_LIMIT[V2], 0)
        # The limit with swap may never be the lower one.
        for name, value in reversed(settings) if raised else settings:
            # If the kernel does not count swap, there is no such file.
            with contextlib.suppress(FileNotFoundError):
                self._set(name, str(value))

    def _set(self, name: str, value: str) -> None:
        controller = name.partition(".")[0]
        for home, directory in zip(self._homes, self._directories, strict=True):
            if controller in home.controllers:
                write(directory, name, value)

    def _kill_count(self) -> KillCount:
        hits = []
        for name in _LIMIT_HITS[self._version]:
            with contextlib.suppress(FileNotFoundError):  # if the kernel does not count swap
                hits.append(self._open_to_read(name))
        return KillCount(self._open_to_read(_KILL_COUNTS[self._version]), hits)

    def _open_to_read(self, name: str) -> int:
        return self._keep(open_file(self._directories[0], name, os.O_RDONLY))

    def _ask_for_notice(self) -> int:
        notice = self._keep(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
        write(self._directories[0], "cgroup.event_control", f"{notice} {self._own_kills.descriptors[0]}")
        return notice

    def _keep(self, descriptor: int) -> int:
        self._open.append(descriptor)
        return descriptor


def _memory_limit(limits: ResourceLimits, *, disk_in_memory: bool) -> int | None:
    if limits.memory_mb is None:
        return None
    disk = (limits.disk_mb or 0) if disk_in_memory else 0
    return (limits.memory_mb + disk + OVERHEAD_MB) * _MIB


class ControlGroups:
    """The groups of a fork server's sandboxes.

    Parameters:
        version: V1 or V2.
        homes: the fork server's directories, memory's first.
    """

    def __init__(self, version: str, homes: Sequence[Home]) -> None:
        self.version = version
        self._homes = homes
        self._leaving: list[ControlGroup] = []

    def make(self, name: str, limits: ResourceLimits, *, disk_in_memory: bool) -> ControlGroup:
        """Make a sandbox's group.

        Raises:
            OSError: it cannot be made.
        """
        return ControlGroup(self.version, name, self._homes, limits, disk_in_memory=disk_in_memory)

    def remove(self, group: ControlGroup) -> None:
        """Remove a group, now or together with a later one."""
        self._leaving = [left for left in (*self._leaving, group) if not left.remove()]

    def close(self) -> None:
        """Remove the groups of all sandboxes, which have ended, and the fork server's directories."""
        until = time.monotonic() + _REMOVAL_SECONDS
        for home in self._homes:
            while not home.close() and time.monotonic() < until:
                time.sleep(_REMOVAL_PAUSE)

    def hold(self) -> bool:
        """Return whether a process can be put into a group with limits, found out by trying."""
        group = self.make("trial", _TRIAL, disk_in_memory=False)
        try:
            pid = syscalls.clone(0, group.descriptor)
            if pid == 0:
                _exit_inside(group)
            return os.waitpid(pid, 0)[1] == 0
        finally:
            self.remove(group)


def open_machines_kills() -> int | None:
    """Open the file that counts the processes that memory limits have ended.

    It counts those of the group that this process is in, else those of the machine.

    Returns:
        its descriptor; None if there is no such file.
    """
    for version, place in places(count_processes=False):
        with contextlib.suppress(OSError):
            return os.open(os.path.join(place[0][0], _KILL_COUNTS[version]), os.O_RDONLY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):
        return os.open(_MACHINES_COUNTS, os.O_RDONLY | os.O_CLOEXEC)
    return None


def open_groups(*, count_processes: bool) -> ControlGroups | None:
    """Return where this process's sandboxes can have groups, found out by trying; None if they cannot have any.

    Parameters:
        count_processes: whether the number of a sandbox's processes is limited by nothing else.
    """
    for version, place in places(count_processes=count_processes):
        groups = _groups_at(version, place)
        if groups is not None:
            return groups
    return None


def _groups_at(version: str, place: Place) -> ControlGroups | None:
    homes: list[Home] = []
    try:
        for base, controllers in place:
            homes.append(Home(version, base, controllers))
        groups = ControlGroups(version, homes)
        if groups.hold():
            return groups
    except OSError:
        pass
    for home in homes:
        home.close()
    return None


def _exit_inside(group: ControlGroup) -> None:
    code = 1
    with contextlib.suppress(BaseException):
        group.enter()
        code = 0
    os._exit(code)
