"""Work in a process of its own: when that ends, its memory, its directory and its processes end with it.

A forked process has all that this one has loaded, which takes long to load; and this one gets nothing back but bytes.
It is forked by a process that does nothing else: after a fork, whichever page of memory a process writes to is copied
once more, in this one each time as many as a cell needs.
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
    """One process after another, each in an empty directory: the next one's beginning is the end of the one before.

    Parameters:
        do: what they do, with a task and the path of the file that takes the result.
    """

    def __init__(self, do: Callable[[dict[str, Any], str], None]) -> None:
        self._do = do
        self._forker: socket.socket | None = None
        self._way: Any = None

    def begin(self) -> None:
        """Begins the next process; whatever the one before has started ends with it, and its directory."""
        if self._way is not None:
            with suppress(OSError):
                self._way.close()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            try:
                self._send(theirs)
            except OSError:  # a process before has ended it
                self._forker = None
                self._send(theirs)
            self._way = ours.makefile("rwb")

    def _send(self, way: socket.socket) -> None:
        if self._forker is None:
            self._forker = _forker(self._do)
        socket.send_fds(self._forker, [b"\0"], [way.fileno()])

    def call(self, task: dict[str, Any], path: str) -> None:
        """Has a task done by the process that was begun last.

        Raises:
            RuntimeError: it raised something, or ended the process.
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
    """Starts the process that forks the others; it takes what each of them is to be spoken to by."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        try:
            os.setsid()
            prctl = _end_with_parent()
            # What is there already is looked through by none of them, which would copy it.
            gc.freeze()
            _fork_each(theirs, do, prctl)
        finally:
            os._exit(0)
    theirs.close()
    return ours


def _end_with_parent() -> Any:
    """Lets this process end with its parent; returns what lets any other."""

    def set_signal() -> None:
        with suppress(Exception):  # where the interpreter is ended, nobody else ends this
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
    """Ends a process and all that it has started, and removes its directory."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)  # before it has a group of its own
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
