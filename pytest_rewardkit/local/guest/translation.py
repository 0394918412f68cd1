"""Gives a sandbox without a root of its own the paths of one that has: /home/user, /tmp, /var/tmp and /dev/shm.

A sandbox's directories lie in the host's file system as they would below a root: TOP/home/user, TOP/tmp. A seccomp
filter makes each of a candidate's system calls that takes a path wait for a thread of the guest, which reads the path.
Most calls go on at once. If the path leads to one of the sandbox's own directories, the guest holds the calling thread
and puts the real path on its stack, below what is in use. The thread then makes the same call again with that path.
Answers of getcwd and readlink get the guest's names in the same way.

This takes and gives no rights. The candidate itself makes every call, under its own Landlock domain, user and filter:
whatever it does to the path between reading and calling, it only reaches what it could reach anyway. The guest has the
same rights or fewer, and reads only processes that it may trace: its own sandbox's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import ElsewhereError
from pytest_rewardkit.local.guest import path_calls, syscalls
from pytest_rewardkit.local.guest.locks import Locks
from pytest_rewardkit.local.guest.notifications import Listener
from pytest_rewardkit.local.guest.path_calls import number_of
from pytest_rewardkit.local.guest.sockets import Sockets
from pytest_rewardkit.local.guest.tracing import RESTART, HeldThread, ProcessMemory

if TYPE_CHECKING:
    from pytest_rewardkit.local.guest.notifications import Notification
    from pytest_rewardkit.local.guest.paths import Paths

_MAX_ANEW: Final = 4096
_STACK_BYTES: Final = 2**18
_SPEECH: Final = b"L"
_LATER_MS: Final = 5
_INT: Final = 4


_Call = tuple[int, int, tuple[int, ...]]
"""A thread, the number of a system call, and its arguments."""


class Translator:
    """Answers the calls of one sandbox's candidates, in a thread of its guest.

    Parameters:
        paths: the guest's names of paths and the real ones.
        program: the filter that makes calls wait; see seccomp.py.
        guarded: whether candidates are kept from the machine's sockets, and from locking and watching its files.
        watching: how many inotify queues they may open; None for no limit.
        visible: whether their processes can be seen in /proc by the numbers that this process uses for them.

    Attributes:
        nobody_held: a lock to hold while this process waits for children.
    """

    def __init__(self, paths: Paths, program: bytes, *, guarded: bool, watching: int | None, visible: bool) -> None:
        self._paths = paths
        self._program = program
        self._guarded = guarded
        self._incoming, self._outgoing = socket.socketpair()
        self.nobody_held = threading.Lock()
        self._memory = ProcessMemory()
        self._listeners: dict[int, Listener] = {}
        self._poll = select.poll()
        self._thread: threading.Thread | None = None
        # The texts, by address, of calls that are about to be made again; empty if a stack has no room.
        self._anew: dict[_Call, dict[int, bytes]] = {}
        self._positions = {
            number: positions
            for positions, listed in path_calls.PATH_ARGUMENTS.items()
            for name in listed.split()
            if (number := number_of(name)) is not None
        }
        self._answers = {
            number: position for name, position in path_calls.ANSWERS.items() if (number := number_of(name)) is not None
        }
        self._getcwd = number_of("getcwd")
        self._sockets = Sockets(paths, self._memory)
        self._making = {number_of("bind"): self._sockets.bound, number_of("connect"): self._sockets.connected}
        self._locks = Locks(paths, self._memory, watching, visible=visible)
        self._locking = {
            number_of("fcntl"): self._locks.lock_range,
            number_of("flock"): self._locks.lock,
            number_of("inotify_init"): self._locks.begin_watching,
            number_of("inotify_init1"): self._locks.begin_watching,
            number_of("inotify_add_watch"): self._locks.watch,
        }
        self._naming = [number_of(name) for name in path_calls.NAMES_OF_SOCKETS]
        # Calls that wait for a lock, or for a socket at which too many connections wait.
        self._later: list[tuple[Listener, Notification]] = []

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
        """Have the calls of this process, a candidate's, and of its children wait for the guest."""
        # The guest must be able to read it.
        syscalls.set_dumpable(True)
        syscalls.set_no_new_privileges()
        descriptor = syscalls.load_seccomp_listener(self._program)
        try:
            socket.send_fds(self._outgoing, [_SPEECH], [descriptor])
        finally:
            os.close(descriptor)

    def _serve(self) -> None:
        while True:
            later, self._later = self._later, []
            for listener, waiting in later:
                self._answer(listener, waiting)
            for descriptor, events in self._poll.poll(_LATER_MS if self._later else None):
                if descriptor == self._incoming.fileno():
                    self._take_listener()
                elif not events & select.POLLIN or not self._serve_one(self._listeners[descriptor]):
                    self._poll.unregister(descriptor)
                    self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        listener = self._listeners.pop(descriptor)
        self._later = [(other, waiting) for other, waiting in self._later if other is not listener]
        listener.close()

    def _take_listener(self) -> None:
        _, descriptors, _, _ = socket.recv_fds(self._incoming, len(_SPEECH), 1)
        for descriptor in descriptors:
            self._listeners[descriptor] = Listener(descriptor)
            self._poll.register(descriptor, select.POLLIN)

    def _serve_one(self, listener: Listener) -> bool:
        """Answer a call that waits, if its caller still does; return whether the listener can still be used."""
        try:
            waiting = listener.receive()
        except OSError:
            return False
        if waiting is not None:
            self._answer(listener, waiting)
        return True

    def _answer(self, listener: Listener, waiting: Notification) -> None:
        try:
            if waiting.call in self._making:
                self._make_socket(listener, waiting)
            elif self._guarded and waiting.call in self._locking:
                self._lock(listener, waiting)
            else:
                self._handle(listener, waiting)
        except Exception:
            # The caller cannot be traced, has gone, or fails in another way. That is its own affair; others wait.
            with contextlib.suppress(OSError):
                listener.let_pass(waiting.key)

    def _make_socket(self, listener: Listener, waiting: Notification) -> None:
        """Replace the descriptor of a call's caller by another socket, which completes the call, or have the call fail.

        If sockets are guarded, the caller's own call is never made.
        """
        code: int | None = errno.EACCES
        try:
            with self._making[waiting.call](waiting) as made:
                made.setblocking(self._sockets.blocks(waiting))
                listener.replace_descriptor(waiting.key, waiting.arguments[0], made.fileno())
            return
        except BlockingIOError as error:
            if self._sockets.blocks(waiting):
                self._later.append((listener, waiting))
                return
            code = error.errno
        except ElsewhereError as error:
            code = error.errno if self._guarded else None
        except OSError as error:
            code = error.errno or code
        except Exception:
            pass  # another failure, on which the calls of others must not depend
        with contextlib.suppress(OSError):
            if code is None:
                listener.let_pass(waiting.key)
            else:
                listener.refuse(waiting.key, code)

    def _lock(self, listener: Listener, waiting: Notification) -> None:
        try:
            self._locking[waiting.call](listener, waiting)
        except BlockingIOError:
            self._later.append((listener, waiting))
        except OSError as error:
            listener.refuse(waiting.key, error.errno or errno.EACCES)

    def _handle(self, listener: Listener, waiting: Notification) -> None:
        if self._anew:
            placed = self._anew.pop((waiting.thread, waiting.call, waiting.arguments), None)
            if placed is not None:
                self._go_on(listener, waiting, placed)
                return
        if waiting.call == self._getcwd:
            self._rename_answer(listener, waiting)
            return
        if waiting.call in self._naming:
            self._rename_socket(listener, waiting)
            return
        replaced = {}
        path = None
        for position in self._positions.get(waiting.call, ()):
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
            self._anew.clear()  # entries of threads that were killed meanwhile
        with self.nobody_held, HeldThread(waiting.thread) as held:
            listener.refuse(waiting.key, RESTART)
            if not held.wait() or not held.about_to_restart(waiting.call, waiting.arguments):
                return
            places = held.set_texts(self._memory, texts) or {}
            arguments = tuple(places.get(place, value) for place, value in enumerate(waiting.arguments))
            placed = {address: texts[position] for position, address in places.items()}
            self._anew[waiting.thread, waiting.call, arguments] = placed

    def _go_on(self, listener: Listener, waiting: Notification, placed: dict[int, bytes]) -> None:
        """Let a call be made with the texts that were put in their places."""
        if not placed:
            listener.refuse(waiting.key, errno.ENAMETOOLONG)
            return
        for address, text in placed.items():
            # A signal's handler may have used the stack meanwhile. From here on none runs before the call is made.
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

    def _rename_socket(self, listener: Listener, waiting: Notification) -> None:
        _, place, length, *_ = waiting.arguments
        with self.nobody_held, HeldThread(waiting.thread) as held:
            room = self._integer(waiting.thread, length)
            listener.let_pass(waiting.key)
            if held.wait() and held.result(waiting.call) == 0:
                address = self._memory.read(waiting.thread, place, min(room, self._integer(waiting.thread, length)))
                renamed = self._sockets.guest_name(address or b"")
                if renamed is not None and self._memory.write(waiting.thread, place, renamed[:room]):
                    self._memory.write(waiting.thread, length, len(renamed).to_bytes(_INT, sys.byteorder))

    def _integer(self, thread: int, place: int) -> int:
        return int.from_bytes(self._memory.read(thread, place, _INT) or b"", sys.byteorder)
