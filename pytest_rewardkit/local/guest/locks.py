"""Locks files and watches directories for candidates that share the machine's file system: the sandbox's own alone.

A lock on a file of the system would hold up others, and a watch would tell of them. So candidates' calls wait for the
guest, which looks at what they are about. `flock` and `inotify_add_watch` it makes itself, on a copy of the candidate's
descriptor, so that nothing can be put in its place meanwhile. Locks of ranges belong to a process, which alone can
take them.
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
"""How often a sandbox may begin to watch, where that counts for a user with other processes: Linux gives it 128."""


class Locks:
    """Takes the locks and watches of one sandbox.

    Parameters:
        paths: the names and the places.
        memory: what reads candidates' memory.
        watching: how often it may begin to watch; None for as often as it likes.
        visible: whether its processes can be seen in /proc, by the numbers that this process knows them by.
    """

    def __init__(self, paths: Paths, memory: ProcessMemory, watching: int | None, *, visible: bool) -> None:
        self._paths = paths
        self._memory = memory
        self._visible = visible
        self._watching = watching

    def lock(self, listener: Listener, waiting: Notification) -> None:
        """Answer `flock`. Raises BlockingIOError when the lock is not to be had yet, and its caller waits for it."""
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
        """Answer `fcntl`, of which only locks wait."""
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
                listener.let_pass(waiting.key)  # from where it leads, cannot be known
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
        """Return a copy of the descriptor that a call is about, if it is the sandbox's own; None without a copy.

        Raises:
            OSError: it is one of a file of the machine's, or none.
        """
        number = waiting.arguments[0] & _LOW_WORD
        copy = None
        try:
            copy = syscalls.copy_descriptor(waiting.thread, number)
            file = os.readlink(b"/proc/self/fd/%d" % copy)
        except PermissionError:
            # Docker's filter of system calls lets nobody copy one.
            if not self._visible:
                return None
            file = os.readlink(b"/proc/%d/fd/%d" % (waiting.thread, number))
        if file.startswith(b"/") and not self._paths.is_own(file):
            if copy is not None:
                os.close(copy)
            raise OSError(errno.ENOLCK, "a file of the machine's")
        return copy
