"""Runs work in a separate process: when that ends, its memory, its directory and its own processes end with it.

A forked process already has all modules that this process has loaded, which take long to load. This process receives
only bytes from it. A process that does nothing else does the forking: after a fork, each memory page that a process
writes to is copied once more, and for this process these would be as many pages as a cell needs, every time.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = b"done\n"
MAX_ERROR = 2_000
_SET_PARENT_DEATH_SIGNAL = 1


class ChildProcesses:
    """One process after another, each in an empty directory. The next one begins when the previous one ends.

    Parameters:
        do: the work, given a task and the path of the file for the result.
    """

    def __init__(self, do: Callable[[dict[str, Any], str], None]) -> None:
        self._do = do
        self._forker: socket.socket | None = None
        self._way: Any = None

    def begin(self) -> None:
        """Begins the next process, and ends the previous one with all its processes and its directory."""
        if self._way is not None:
            with suppress(OSError):
                self._way.close()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            try:
                self._send(theirs)
            except OSError:  # an earlier process has ended it
                self._forker = None
                self._send(theirs)
            self._way = ours.makefile("rwb")

    def _send(self, way: socket.socket) -> None:
        if self._forker is None:
            self._forker = _forker(self._do)
        socket.send_fds(self._forker, [b"\0"], [way.fileno()])

    def call(self, task: dict[str, Any], path: str) -> None:
        """Has the last begun process do a task.

        Raises:
            RuntimeError: the task raised an exception, or ended the process.
        """
        try:
            self._way.write(json.dumps([task, path]).encode("ascii") + b"\n")
            self._way.flush()
            said = self._way.readline()
        except OSError:
            said = b""
        if said != DONE:
            raise RuntimeError(said.decode("ascii", "replace").strip() or "it ended its own process")


def _forker(do: Callable[[dict[str, Any], str], None]) -> socket.socket:
    """Starts the process that forks the others; for each it receives the socket to talk to it."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        try:
            os.setsid()
            prctl = _end_with_parent()
            # No child's garbage collection visits the existing objects, because that would copy them.
            gc.freeze()
            _fork_each(theirs, do, prctl)
        finally:
            os._exit(0)
    theirs.close()
    return ours


def _end_with_parent() -> Any:
    """Makes this process end with its parent; returns a function that does the same for another process."""

    def set_signal() -> None:
        with suppress(Exception):  # if the interpreter ends, nothing else ends this process
            prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)

    prctl = ctypes.CDLL(None).prctl
    set_signal()
    return set_signal


def _fork_each(ways: socket.socket, do: Callable[[dict[str, Any], str], None], end_with_parent: Any) -> None:
    pid, directory = 0, ""
    while True:
        asked, [*received], _, _ = socket.recv_fds(ways, 1, 1)
        if pid:
            _end(pid, directory)
        if not asked:
            return
        directory = tempfile.mkdtemp()
        pid = os.fork()
        if pid == 0:
            ways.close()
            end_with_parent()
            _serve(socket.socket(fileno=received[0]), do, directory)
        os.close(received[0])


def _end(pid: int, directory: str) -> None:
    """Ends a process and everything that it has started, and removes its directory."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)  # it may not have its own group yet
        os.waitpid(pid, 0)
    shutil.rmtree(directory, ignore_errors=True)


def _serve(way: socket.socket, do: Callable[[dict[str, Any], str], None], directory: str) -> None:
    try:
        os.setsid()
        os.chdir(directory)
        with way, way.makefile("rwb") as stream:
            for line in stream:
                stream.write(_said(do, *json.loads(line)))
                stream.flush()
    finally:
        os._exit(0)


def _said(do: Callable[[dict[str, Any], str], None], task: dict[str, Any], path: str) -> bytes:
    try:
        do(task, path)
    except BaseException as error:
        return ascii(f"{type(error).__name__}: {error}")[:MAX_ERROR].encode("ascii") + b"\n"
    return DONE
