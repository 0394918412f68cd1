"""The environments that are in the cache, and their removal."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.local.templates.cache import MADE, directory

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeptEnvironment:
    """An environment that is there.

    Parameters:
        place: its directory.
        title: what it was made for.
        bytes_on_disk: what it takes.
        idle: for how many seconds nobody has asked for it.
    """

    place: Path
    title: str
    bytes_on_disk: int
    idle: float

    def remove(self) -> bool:
        """Remove it; whether that was done, and nobody uses it."""
        try:
            with (self.place / MADE).open() as made:
                fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Without that file it counts as none, should the rest fail.
                (self.place / MADE).unlink()
                shutil.rmtree(self.place)
        except OSError:
            return False
        return True


def kept_environments() -> list[KeptEnvironment]:
    """Return those that are there, the longest idle first."""
    found = []
    with suppress(FileNotFoundError):
        for entry in directory().iterdir():
            if (made := entry / MADE).exists():
                idle = time.time() - made.stat().st_mtime
                found.append(KeptEnvironment(entry, made.read_text("utf-8", "replace"), _size(entry), idle))
    return sorted(found, key=lambda kept: -kept.idle)


def _size(place: Path) -> int:
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):
                total += os.lstat(f"{folder}/{name}").st_size
    return total
