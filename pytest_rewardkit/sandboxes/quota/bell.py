"""Wakes a waiting process: by a named pipe, or by a short sleep if pipes are not possible."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SLEEP_SECONDS: Final = 0.25


class Bell:
    """A bell that other processes can ring.

    Parameters:
        path: of the pipe, which this object creates and removes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe = -1
        self._rings = select.poll()
        with suppress(AttributeError, OSError):
            os.mkfifo(path, 0o600)
            # Open for writing too, so that reading never meets the end of the file.
            self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            self._rings.register(self._pipe, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Wait until it rings, at most so many seconds; an earlier ring counts."""
        if self._pipe == -1:
            time.sleep(min(seconds, SLEEP_SECONDS))
            return
        self._rings.poll(seconds * 1000)
        with suppress(BlockingIOError):
            os.read(self._pipe, 4096)

    def close(self) -> None:
        if self._pipe != -1:
            os.close(self._pipe)
            self._pipe = -1
        self._path.unlink(missing_ok=True)


def ring(path: Path) -> None:
    """Wake the process that waits for the bell at `path`, if there is one."""
    with suppress(AttributeError, OSError):
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"!")
        finally:
            os.close(pipe)
