"""The log of a server in a container, in a file that the run's other processes can read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from pytest_rewardkit.local.handle import LOG_BYTES, OBITUARY

MAX_BYTES: Final = 16 * 1024 * 1024
"""A server that writes more than this is beyond help, and a full disk helps nobody."""


class Log:
    """A log that only grows, until `close` removes it."""

    def __init__(self) -> None:
        descriptor, self.path = tempfile.mkstemp(prefix="rewardkit-server-", suffix=".log")
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._start = 0

    def write(self, line: str) -> None:
        """Add a line."""
        if not self._file.closed and self._file.tell() < MAX_BYTES:
            self._file.write(f"{line}\n".encode())

    def begin(self) -> None:
        """Begin the log of another server."""
        self._start = self._file.tell()

    def bury(self, became: str) -> None:
        """Note a server's fate in the place where readers of the log look for it."""
        self.write(f"{OBITUARY}{became}")

    def end(self) -> str:
        """The end of the last server's output."""
        if self._file.closed:
            return ""
        with Path(self.path).open("rb") as log:
            log.seek(max(self._start, self._file.tell() - LOG_BYTES))
            return log.read().decode(errors="replace").strip()

    def close(self) -> None:
        """Remove it."""
        self._file.close()
        Path(self.path).unlink(missing_ok=True)
