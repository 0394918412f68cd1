"""What wakes a process that waits: a named pipe, or where there can be none, a short sleep."""

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
    """Can be rung by other processes.

    Parameters:
        path: of the pipe, which is made and removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe = -1
        with suppress(AttributeError, OSError):
            os.mkfifo(path, 0o600)
            # Also open for writing, so that it is never at its end.
            self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self, seconds: float) -> None:
        """Wait until it is rung, for so many seconds at most; a ring from before counts."""
        if self._pipe == -1:
            time.sleep(min(seconds, SLEEP_SECONDS))
            return
        select.select([self._pipe], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._pipe, 4096)

    def close(self) -> None:
        if self._pipe != -1:
            os.close(self._pipe)
            self._pipe = -1
        self._path.unlink(missing_ok=True)


def ring(path: Path) -> None:
    """Wake whoever waits for the bell there, if anybody does."""
    with suppress(AttributeError, OSError):
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"!")
        finally:
            os.close(pipe)
