"""The sandbox's own file systems, laid over the machine's directories: they show the same files with separate locks."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Final

from pytest_rewardkit.local.guest import mounts

_READ_ONLY: Final = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_RDONLY
_EMPTY: Final = "/run"
# How /proc writes down mounts, and the characters that have a meaning in their options.
_OCTAL: Final = re.compile(rb"\\([0-7]{3})")
_SPECIAL: Final = re.compile(r"[\\:,]")


@cache
def _layers(path: str) -> str:
    # A single layer is not allowed, and a second one that is empty adds nothing.
    lower = _SPECIAL.sub(r"\\\g<0>", path)
    return f"lowerdir={lower}:{_EMPTY}"


def lay_over(path: str) -> None:
    """Mount a file system over a directory. It shows the same files, read-only, with its own locks and watches."""
    mounts.mount("overlay", path, "overlay", _READ_ONLY, _layers(path))


def can_be_laid_over(path: str) -> bool:
    """Whether `lay_over` works. Not every file system allows it; those of containers do not."""
    try:
        lay_over(path)
    except OSError:
        return False
    mounts.unmount(path, mounts.MNT_DETACH)
    return True


def mount_points(top: str) -> list[str]:
    """Return where other file systems are mounted below a directory, as seen from it."""
    with open("/proc/self/mountinfo", "rb") as lines:
        fields = [line.split()[4] for line in lines]
    paths = [os.fsdecode(_OCTAL.sub(lambda match: bytes([int(match[1], 8)]), field)) for field in fields]
    return [path.removeprefix(top) for path in paths if path.startswith(f"{top}/") and os.path.isdir(path)]
