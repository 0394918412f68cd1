"""How many sandboxes are created a second, over all processes: one after another, so far apart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.sandboxes.quota.lock import locked

if TYPE_CHECKING:
    from pathlib import Path

MARGIN: Final = 1.1
"""Requests do not arrive as evenly as they are made: they are made this much more seldom than is allowed."""


class Pace:
    """Moments at which a sandbox may be created.

    Parameters:
        directory: shared by all processes that are to keep to it.
        rate: creations a second.
    """

    def __init__(self, directory: Path, rate: float) -> None:
        self._file = directory / "pace"
        self._guard = directory / "pace.guard"
        self._seconds = MARGIN / rate

    def wait(self) -> None:
        """Wait for the next moment that is free."""
        # Who waits has the lock meanwhile: the next one's moment is counted from when this one has really gone on.
        with locked(self._guard):
            ahead = self._last() + self._seconds - time.time()
            if 0 < ahead <= self._seconds:  # else it comes from a clock that was set back
                time.sleep(ahead)
            self._file.write_text(repr(time.time()), "ascii")

    def _last(self) -> float:
        try:
            return float(self._file.read_text("ascii"))
        except (OSError, ValueError):
            return 0.0
