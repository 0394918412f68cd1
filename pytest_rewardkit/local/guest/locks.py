"""Locks files and watches directories for candidates that share the machine's file system: only the sandbox's own ones.

A lock on a file of the system would hold up others, and a watch would reveal their actions. So candidates' calls wait
for the guest, which looks at their targets. The guest makes `flock` and `inotify_add_watch` on its own, on a copy of
the candidate's descriptor, so that the candidate cannot swap the file meanwhile. Locks of ranges belong to a process,
so only the process itself can take them.
"""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import inotify, syscalls
from pytest_rewardkit.local.guest.descriptors import open_without_links

if TYPE_CHECKING:
    from pytest_rewardkit.local.guest.notifications import Listener, Notification
    from pytest_rewardkit.local.guest.paths import Paths
    from pytest_rewardkit.local.guest.tracing import ProcessMemory

_LOW_WORD: Final = 0xFFFFFFFF
MAX_WATCHING: Final = 32
"""How many inotify queues a sandbox may open if they count for a user with other processes: Linux gives a user 128."""


class Locks:
    """Takes the locks and watches of one sandbox.

    Parameters:
        paths: the guest's names of paths and the real ones.
        memory: reads candidates' memory.
        watching: how many inotify queues it may open; None for no limit.
        visible: whether its processes can be seen in /proc by the numbers that this process uses for them.
    """

    def __init__(self, paths: Paths, memory: ProcessMemory, watching: int | None, *, visible: bool) -> None:
        self._paths = paths
        self._memory = memory
        self._visible = visible
        self._watching = watching

    def lock(self, listener: Listener, waiting: Notification) -> None:
        """Answer `flock`.

        Raises:
            BlockingIOError: the lock is not free yet, and the caller waits for it.
        """
        operation = waiting.arguments[1] & _LOW_WORD
        copy = None if operation & fcntl.LOCK_UN else self._own_copy(waiting)
        if copy is None:
            listener.let_pass(waiting.key)
            return
        try:
            fcntl.flock(copy, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if not operation & fcntl.LOCK_NB:
                raise
            listener.refuse(waiting.key, errno.EWOULDBLOCK)
        else:
            listener.return_value(waiting.key, 0)
        finally:
            os.close(copy)

    def lock_range(self, listener: Listener, waiting: Notification) -> None:
        """Answer `fcntl`, of which only calls that set locks wait."""
        copy = self._own_copy(waiting)
        if copy is not None:
            os.close(copy)
        listener.let_pass(waiting.key)

    def begin_watching(self, listener: Listener, waiting: Notification) -> None:
        """Answer `inotify_init`."""
        if self._watching is not None:
            if not self._watching:
                raise OSError(errno.EMFILE, "too many for one sandbox")
            self._watching -= 1
        listener.let_pass(waiting.key)

    def watch(self, listener: Listener, waiting: Notification) -> None:
        """Answer `inotify_add_watch`."""
        number, place, mask, *_ = waiting.arguments
        path = self._memory.text(waiting.thread, place)
        if path is None:
            raise OSError(errno.EFAULT, "a path that cannot be read")
        if not path.startswith(b"/"):
            if not self._visible:
                listener.let_pass(waiting.key)  # the directory that the path starts from cannot be known
                return
            path = os.path.join(os.readlink(b"/proc/%d/cwd" % waiting.thread), path)
        real = os.path.realpath(self._paths.real(path) or path, strict=True)
        way = self._paths.below_top(real)
        if way is None:
            raise OSError(errno.EACCES, "not below the sandbox's own directories")
        copy = syscalls.copy_descriptor(waiting.thread, number & _LOW_WORD)
        try:
            found = open_without_links(self._paths.top, way.split(b"/"))
            try:
                watch = inotify.watch(copy, f"/proc/self/fd/{found}", mask & _LOW_WORD)
            finally:
                os.close(found)
        finally:
            os.close(copy)
        listener.return_value(waiting.key, watch)

    def _own_copy(self, waiting: Notification) -> int | None:
        """Return a copy of a call's descriptor if it belongs to the sandbox; None if it cannot be copied.

        Raises:
            OSError: it is not open, or belongs to a file of the machine.
        """
        number = waiting.arguments[0] & _LOW_WORD
        copy = None
        try:
            copy = syscalls.copy_descriptor(waiting.thread, number)
            file = os.readlink(b"/proc/self/fd/%d" % copy)
        except PermissionError:
            # Docker's filter of system calls does not let anybody copy a descriptor.
            if not self._visible:
                return None
            file = os.readlink(b"/proc/%d/fd/%d" % (waiting.thread, number))
        if file.startswith(b"/") and not self._paths.is_own(file):
            if copy is not None:
                os.close(copy)
            raise OSError(errno.ENOLCK, "a file of the machine's")
        return copy
