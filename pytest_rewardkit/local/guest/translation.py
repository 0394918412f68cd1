"""Gives a sandbox without a root of its own the paths of one that has: /home/user, /tmp, /var/tmp and /dev/shm.

A sandbox's directories lie in the host's file system as they would below a root: TOP/home/user, TOP/tmp. Each system
call of a candidate that takes a path waits, by a seccomp filter, for a thread of the agent, which reads the path. Most
go on at once. Where the path leads to one of the sandbox's own directories, the calling thread is held, the real path
is put on its stack below what is in use, and it makes the same call anew with that. What getcwd and readlink have
answered is given the guest's names likewise.

This takes and gives no rights. Every call is made by the candidate itself, under its own Landlock domain, user and
filter: whatever it does to the path between reading and calling, it only reaches what it could reach anyhow. The
agent has the same rights or fewer, and reads only processes that it may trace: its own sandbox's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
from typing import TYPE_CHECKING, Final

from seccompy.syscalls import syscall_nr

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.homes import GUEST_PREFIXES
from pytest_rewardkit.local.guest.notifications import Listener
from pytest_rewardkit.local.guest.tracing import RESTART, HeldThread, Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.local.guest.notifications import Notification

_PATH_ARGUMENTS: Final = {
    (0,): """
        access chdir chmod chown creat execve getxattr lchown lgetxattr listxattr llistxattr lremovexattr lsetxattr
        lstat mkdir mknod open readlink removexattr rmdir setxattr stat statfs truncate unlink utime utimes
    """,
    (1,): """
        execveat faccessat faccessat2 fchmodat fchmodat2 fchownat futimesat getxattrat inotify_add_watch listxattrat
        mkdirat mknodat newfstatat openat openat2 readlinkat removexattrat setxattrat statx unlinkat utimensat
    """,
    (0, 1): "link rename symlink",
    (0, 2): "symlinkat",
    (1, 3): "linkat renameat renameat2",
}
_ANSWERS: Final = {"getcwd": 0, "readlink": 1, "readlinkat": 2}
"""Calls that answer with a path, and which argument says where it is put."""

_GUEST_PREFIXES: Final = tuple(os.fsencode(path) for path in GUEST_PREFIXES)
# Links there may lead to what is a sandbox's own.
_MAY_LEAD_HOME: Final = (b"/proc/", b"/dev/")
_MAX_ANEW: Final = 4096
_STACK_BYTES: Final = 2**18
_SPEECH: Final = b"L"


def names() -> list[str]:
    """Return the system calls that are to wait, those that this machine has."""
    listed = [name for names in _PATH_ARGUMENTS.values() for name in names.split()]
    return [name for name in (*listed, "getcwd") if _number(name) is not None]


_Call = tuple[int, int, tuple[int, ...]]
"""A thread, the number of a system call, and its arguments."""


class Paths:
    """The guest's names of paths and the real ones.

    Parameters:
        top: the directory below which a sandbox's own directories are, without links.
        spared: paths of the host that stay what they are, though they lie in a directory that the guest has its own of.
    """

    def __init__(self, top: str, spared: Sequence[str]) -> None:
        self._top = os.fsencode(top)
        own = [os.fsencode(path) for path in (top, *spared)]
        self._spared = tuple(path for path in own if _below_any(path, _GUEST_PREFIXES))
        ancestors = {ancestor for path in self._spared for ancestor in _ancestors(path)}
        # What leads to them has to be seen, too.
        self._leading = frozenset(ancestor for ancestor in ancestors if ancestor not in _GUEST_PREFIXES)

    def real(self, path: bytes) -> bytes | None:
        """Return where a guest's path really is; None where it is what it says."""
        if not path.startswith(b"/"):
            return None
        given = path
        if b"//" in path or b"/." in path:
            path = _without_detours(path)
        if not path.startswith(_GUEST_PREFIXES):
            # Out of a directory by its parents: the host may lack the one to start from.
            return path if _below_any(given, _GUEST_PREFIXES) else None
        stripped = path.rstrip(b"/")
        if not _below_any(stripped, _GUEST_PREFIXES) or _below_any(stripped, self._spared) or stripped in self._leading:
            return None
        return self._top + path

    def guest(self, path: bytes) -> bytes:
        """Return how the guest calls a real path."""
        if not _below(path, self._top):
            return path
        return path[len(self._top) :] or b"/"

    def may_answer_with_own(self, path: bytes) -> bool:
        """Return whether what is read at this path, which is real, may be a path of the sandbox's own."""
        return not path.startswith(b"/") or path.startswith((self._top, *_MAY_LEAD_HOME))


class Translator:
    """Answers the calls of one sandbox's candidates, in a thread of its agent.

    Parameters:
        paths: the names and the places.
        program: the filter that has calls wait; see seccomp.py.

    Attributes:
        nobody_held: to be held while this process waits for children.
    """

    def __init__(self, paths: Paths, program: bytes) -> None:
        self._paths = paths
        self._program = program
        self._incoming, self._outgoing = socket.socketpair()
        self.nobody_held = threading.Lock()
        self._memory = Memory()
        self._listeners: dict[int, Listener] = {}
        self._poll = select.poll()
        self._thread: threading.Thread | None = None
        # What calls that are about to be made anew find at which places; nothing where a stack has no room.
        self._anew: dict[_Call, dict[int, bytes]] = {}
        self._positions = {
            number: positions
            for positions, listed in _PATH_ARGUMENTS.items()
            for name in listed.split()
            if (number := _number(name)) is not None
        }
        self._answers = {
            number: position for name, position in _ANSWERS.items() if (number := _number(name)) is not None
        }
        self._getcwd = _number("getcwd")

    def start(self) -> None:
        """Start the thread, if it does not run yet; candidates' first calls wait for it."""
        if self._thread is None:
            self._poll.register(self._incoming, select.POLLIN)
            before = threading.stack_size(_STACK_BYTES)
            try:
                self._thread = threading.Thread(target=self._serve, name="translation", daemon=True)
                self._thread.start()
            finally:
                threading.stack_size(before)

    def enter(self) -> None:
        """Have this process's calls, and those of what it starts, wait for the agent; for a candidate's process."""
        # The agent must be able to read it.
        syscalls.set_dumpable(True)
        syscalls.set_no_new_privileges()
        descriptor = syscalls.load_seccomp_listener(self._program)
        try:
            socket.send_fds(self._outgoing, [_SPEECH], [descriptor])
        finally:
            os.close(descriptor)

    def _serve(self) -> None:
        while True:
            for descriptor, events in self._poll.poll():
                if descriptor == self._incoming.fileno():
                    self._take_listener()
                elif not events & select.POLLIN or not self._serve_one(self._listeners[descriptor]):
                    self._poll.unregister(descriptor)
                    self._listeners.pop(descriptor).close()

    def _take_listener(self) -> None:
        _, descriptors, _, _ = socket.recv_fds(self._incoming, len(_SPEECH), 1)
        for descriptor in descriptors:
            self._listeners[descriptor] = Listener(descriptor)
            self._poll.register(descriptor, select.POLLIN)

    def _serve_one(self, listener: Listener) -> bool:
        """Answer a call that waits, if its caller still does; return whether the listener is of any further use."""
        try:
            waiting = listener.receive()
        except OSError:
            return False
        if waiting is None:
            return True
        try:
            self._handle(listener, waiting)
        except Exception:
            # Not to be traced, or gone, or odd in another way: its call is its own affair, and others wait.
            with contextlib.suppress(OSError):
                listener.let_pass(waiting.key)
        return True

    def _handle(self, listener: Listener, waiting: Notification) -> None:
        if self._anew:
            placed = self._anew.pop((waiting.thread, waiting.call, waiting.arguments), None)
            if placed is not None:
                self._go_on(listener, waiting, placed)
                return
        if waiting.call == self._getcwd:
            self._rename_answer(listener, waiting)
            return
        replaced = {}
        path = None
        for position in self._positions[waiting.call]:
            if not waiting.arguments[position]:
                continue
            path = self._memory.text(waiting.thread, waiting.arguments[position])
            if path is not None and (real := self._paths.real(path)) is not None:
                replaced[position] = real
        if replaced:
            self._replace(listener, waiting, replaced)
        elif path is not None and waiting.call in self._answers and self._paths.may_answer_with_own(path):
            self._rename_answer(listener, waiting)
        else:
            listener.let_pass(waiting.key)

    def _replace(self, listener: Listener, waiting: Notification, texts: dict[int, bytes]) -> None:
        if len(self._anew) >= _MAX_ANEW:
            self._anew.clear()  # of threads that were killed meanwhile
        with self.nobody_held, HeldThread(waiting.thread) as held:
            listener.refuse(waiting.key, RESTART)
            if not held.wait() or not held.about_to_restart(waiting.call, waiting.arguments):
                return
            places = held.set_texts(self._memory, texts) or {}
            arguments = tuple(places.get(place, value) for place, value in enumerate(waiting.arguments))
            placed = {address: texts[position] for position, address in places.items()}
            self._anew[waiting.thread, waiting.call, arguments] = placed

    def _go_on(self, listener: Listener, waiting: Notification, placed: dict[int, bytes]) -> None:
        """Let a call be made with texts that were put in their places."""
        if not placed:
            listener.refuse(waiting.key, errno.ENAMETOOLONG)
            return
        for address, text in placed.items():
            # A signal's handler has run on the stack meanwhile; from here on none does before the call is made.
            if self._memory.text(waiting.thread, address) != text:
                self._memory.write(waiting.thread, address, text + b"\0")
        if waiting.call in self._answers:
            self._rename_answer(listener, waiting)
        else:
            listener.let_pass(waiting.key)

    def _rename_answer(self, listener: Listener, waiting: Notification) -> None:
        with self.nobody_held, HeldThread(waiting.thread) as held:
            listener.let_pass(waiting.key)
            if held.wait() and (length := held.result(waiting.call)) > 0:
                address = waiting.arguments[self._answers[waiting.call]]
                path = self._memory.read(waiting.thread, address, length) or b""
                end = b"\0" if waiting.call == self._getcwd else b""
                renamed = self._paths.guest(path.removesuffix(b"\0")) + end
                if renamed != path and self._memory.write(waiting.thread, address, renamed):
                    held.set_result(len(renamed))


def _number(name: str) -> int | None:
    try:
        return syscall_nr(name)
    except ValueError:  # an older call, which younger machines do not have
        return None


def _below(path: bytes, prefix: bytes) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/")


def _below_any(path: bytes, prefixes: Sequence[bytes]) -> bool:
    return any(_below(path, prefix) for prefix in prefixes)


def _without_detours(path: bytes) -> bytes:
    """Return an absolute path that begins with where it leads; links further on are the kernel's to follow."""
    squeezed = b"/" + path.lstrip(b"/")
    for prefix in _GUEST_PREFIXES:
        if _below(squeezed, prefix) and not _climbs(squeezed[len(prefix) :]):
            return squeezed
    return b"/" + os.path.normpath(path).lstrip(b"/")


def _climbs(rest: bytes) -> bool:
    """Return whether what follows a directory leads out of it."""
    depth = 0
    for name in rest.split(b"/"):
        if name == b"..":
            depth -= 1
        elif name not in (b"", b"."):
            depth += 1
        if depth < 0:
            return True
    return False


def _ancestors(path: bytes) -> list[bytes]:
    names = path.split(b"/")
    return [b"/".join(names[:count]) for count in range(2, len(names))]
