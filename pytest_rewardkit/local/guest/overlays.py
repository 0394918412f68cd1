"""File systems of a sandbox's own, laid over the machine's directories: they show the same, with locks of their own."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Final

from pytest_rewardkit.local.guest import mounts

_READ_ONLY: Final = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_RDONLY
_EMPTY: Final = "/run"
# How mounts are written down in /proc, and what has a meaning in their options.
_OCTAL: Final = re.compile(rb"\\([0-7]{3})")
_SPECIAL: Final = re.compile(r"[\\:,]")


@cache
def _layers(path: str) -> str:
    # One layer is none; another one that is empty adds nothing.
    lower = _SPECIAL.sub(r"\\\g<0>", path)
    return f"lowerdir={lower}:{_EMPTY}"


def lay_over(path: str) -> None:
    """Mount a file system over a directory that shows what is in it, read-only, with locks and watches of its own."""
    mounts.mount("overlay", path, "overlay", _READ_ONLY, _layers(path))


def can_be_laid_over(path: str) -> bool:
    """Whether `lay_over` works; not every file system lets another be laid over it, those of containers among them."""
    try:
        lay_over(path)
    except OSError:
        return False
    mounts.unmount(path, mounts.MNT_DETACH)
    return True


def mount_points(top: str) -> list[str]:
    """Return where below a directory others are mounted, as seen from it."""
    with open("/proc/self/mountinfo", "rb") as lines:
        fields = [line.split()[4] for line in lines]
    paths = [os.fsdecode(_OCTAL.sub(lambda match: bytes([int(match[1], 8)]), field)) for field in fields]
    return [path.removeprefix(top) for path in paths if path.startswith(f"{top}/") and os.path.isdir(path)]
