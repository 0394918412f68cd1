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
    """An environment in the cache.

    Parameters:
        place: its directory.
        title: its purpose.
        bytes_on_disk: its size.
        idle: the seconds since it was last requested.
    """

    place: Path
    title: str
    bytes_on_disk: int
    idle: float

    def remove(self) -> bool:
        """Remove it; return whether it was removed, which it is not while it is in use."""
        try:
            with (self.place / MADE).open() as made:
                fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Without that file it counts as not made, if the rest fails.
                (self.place / MADE).unlink()
                shutil.rmtree(self.place)
        except OSError:
            return False
        return True


def kept_environments() -> list[KeptEnvironment]:
    """Return the environments in the cache, the longest idle first."""
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
