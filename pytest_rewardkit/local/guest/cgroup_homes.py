"""Where the fork server can make control groups: a directory of its own in each hierarchy that it needs.

It holds a lock on the directory as long as it lives. A killed fork server's directory has no lock. The next one ends
the processes that candidates left in it, and removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

V1: Final = "cgroup v1"
V2: Final = "cgroup v2"

Place = list[tuple[str, frozenset[str]]]
"""Groups that together set all the limits, and the controllers that each of them uses; memory's group is the first."""

_PREFIX: Final = "rewardkit-"
_END_SECONDS: Final = 1.0
_END_PAUSE: Final = 0.01


class Home:
    """A fork server's directory in one hierarchy.

    Parameters:
        version: V1 or V2.
        base: the group in which the directory is made.
        controllers: those that set limits in it.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, version: str, base: str, controllers: frozenset[str]) -> None:
        self.controllers = controllers
        self._name = _PREFIX + secrets.token_hex(8)
        self._base = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        # The base is locked until the new directory has its own lock, so that nobody takes it for a dead one's.
        fcntl.flock(self._base, fcntl.LOCK_EX)
        try:
            _remove_left_ones(self._base)
            if version == V2:
                # This works in a root group; any other group refuses while this process is in it.
                with contextlib.suppress(OSError):
                    _pass_on(self._base, controllers)
            os.mkdir(self._name, dir_fd=self._base)
            self._descriptor = open_file(self._base, self._name, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
            if version == V2:
                _pass_on(self._descriptor, controllers)
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(self._name, dir_fd=self._base)
            os.close(self._base)
            raise
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(self._base, fcntl.LOCK_UN)

    def make(self, name: str) -> int:
        """Make a group; return its directory."""
        os.mkdir(name, dir_fd=self._descriptor)
        return open_file(self._descriptor, name, os.O_RDONLY | os.O_DIRECTORY)

    def remove(self, name: str) -> bool:
        """Remove a group; return whether it is gone."""
        return _removed(name, self._descriptor)

    def close(self) -> bool:
        """Remove the directory and all groups in it; return whether it is gone. May be repeated."""
        _remove_groups(self._descriptor)
        return _removed(self._name, self._base)


def _remove_left_ones(base: int) -> None:
    """Remove the directories of fork servers that have been killed."""
    for name in os.listdir(base):
        if not name.startswith(_PREFIX):
            continue
        with contextlib.suppress(OSError):
            descriptor = open_file(base, name, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_processes(descriptor)
                _remove_groups(descriptor)
            finally:
                os.close(descriptor)
            os.rmdir(name, dir_fd=base)


def _end_processes(directory: int) -> None:
    """End what is still in a killed fork server's groups, in rounds because it may fork; give up after a while."""
    until = time.monotonic() + _END_SECONDS
    while (pids := _processes(directory)) and time.monotonic() < until:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_END_PAUSE)


def _processes(directory: int) -> list[int]:
    found: list[int] = []
    for entry in os.listdir(directory):
        with contextlib.suppress(OSError):  # a file, or a group that is gone
            descriptor = open_file(directory, f"{entry}/cgroup.procs", os.O_RDONLY)
            with os.fdopen(descriptor) as file:
                found += [pid for pid in map(int, file) if pid > 0]
    return found


def _remove_groups(directory: int) -> None:
    for entry in os.listdir(directory):
        # The files in it are the kernel's, and cannot be removed as directories.
        with contextlib.suppress(OSError):
            os.rmdir(entry, dir_fd=directory)


def _removed(name: str, directory: int) -> bool:
    try:
        os.rmdir(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


class Mounted(NamedTuple):
    """A mounted hierarchy: its file system's kind, its controllers, and this process's own group."""

    kind: str
    controllers: frozenset[str]
    own: str
    top: str


def places(*, count_processes: bool) -> Iterator[tuple[str, Place]]:
    """Yield the version and the place of groups that may be made, the better ones first; trying shows if they work.

    Parameters:
        count_processes: whether processes have to be counted if no place counts them along with memory.
    """
    mounted = list(_mounted())
    for place in _places_v2(mounted):
        yield V2, place
    for place in _places_v1(mounted, ("memory", "pids") if count_processes else ("memory",)):
        yield V1, place


def open_file(directory: int, name: str, flags: int) -> int:
    """Open a file or a directory in a directory."""
    return os.open(name, flags | os.O_CLOEXEC, dir_fd=directory)


def write(directory: int, name: str, value: str) -> None:
    """Write into a control file."""
    descriptor = open_file(directory, name, os.O_WRONLY)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def _pass_on(group: int, controllers: frozenset[str]) -> None:
    write(group, "cgroup.subtree_control", " ".join(f"+{name}" for name in sorted(controllers)))


def _places_v2(mounted: Sequence[Mounted]) -> Iterator[Place]:
    """Yield where groups of version 2 may be made: in this process's own group if it is a root, else beside it."""
    controllers = frozenset(("memory", "pids"))
    for hierarchy in mounted:
        if hierarchy.kind == "cgroup2":
            yield [(hierarchy.own, controllers)]
            if hierarchy.own != hierarchy.top:
                yield [(os.path.dirname(hierarchy.own), controllers)]


def _places_v1(mounted: Sequence[Mounted], controllers: Sequence[str]) -> Iterator[Place]:
    """Yield where groups of version 1 may be made: in this process's own group, in each controller's hierarchy."""
    # A hierarchy may be mounted more than once, for example in the directories that another root is built of.
    own = {
        controller: hierarchy.own
        for hierarchy in reversed(mounted)
        if hierarchy.kind == "cgroup"
        for controller in hierarchy.controllers
    }
    if all(controller in own for controller in controllers):
        yield [(own[controller], frozenset((controller,))) for controller in controllers]


def _mounted() -> Iterator[Mounted]:
    own_groups: dict[str, str] = {}
    for line in _lines("/proc/self/cgroup"):
        _, names, group = line.split(":", 2)
        own_groups.update(dict.fromkeys(names.split(","), group))
    for line in _lines("/proc/self/mountinfo"):
        place, _, filesystem = line.partition(" - ")
        root, mount_point = place.split(" ")[3:5]
        kind, _, options = filesystem.split(" ", 2)
        if kind not in ("cgroup", "cgroup2"):
            continue
        controllers = frozenset(options.rpartition(" ")[2].split(",")) if kind == "cgroup" else frozenset(("",))
        path = next((own_groups[name] for name in own_groups if name in controllers), None)
        # The mount may show only a part of the hierarchy, and this process may not be in that part.
        if path is not None and os.path.commonpath((root, path)) == root and "/.." not in path:
            own = os.path.normpath(os.path.join(mount_point, os.path.relpath(path, root)))
            yield Mounted(kind, controllers, own, mount_point)


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []
