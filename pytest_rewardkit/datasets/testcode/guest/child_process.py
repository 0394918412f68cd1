"""Work in a process of its own: when that ends, its memory, its directory and its processes end with it.

A forked process has all that this one has loaded, which takes long to load; and this one gets nothing back but bytes.
"""

from __future__ import annotations

import ctypes
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


class ChildProcess:
    """A process that does what it is given, one after another, in an empty directory.

    Parameters:
        do: what it does, with a task and the path of the file that takes the result.
    """

    def __init__(self, do: Callable[[dict[str, Any], str], None]) -> None:
        self._directory = tempfile.mkdtemp()
        ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _serve(theirs, do, self._directory)
        theirs.close()
        self._way = ours.makefile("rwb")
        ours.close()

    def call(self, task: dict[str, Any], path: str) -> None:
        """Has a task done.

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

    def end(self) -> None:
        """Ends the process and all that it has started, and removes its directory."""
        with suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        with suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)  # before it has a group of its own
            os.waitpid(self._pid, 0)
        with suppress(OSError):
            self._way.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def _serve(way: socket.socket, do: Callable[[dict[str, Any], str], None], directory: str) -> None:
    try:
        os.setsid()
        with suppress(Exception):  # where the interpreter is ended, nobody else ends this
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
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
