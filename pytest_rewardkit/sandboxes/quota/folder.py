"""The folder where the processes of one user with the same key find each other's slots."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def folder_of_key(environ: Mapping[str, str]) -> Path:
    """Return the directory for the key and the place that E2B's variables name.

    Raises:
        RewardkitUsageError: another user could write there.
    """
    named = "\n".join(environ.get(name, "") for name in ("E2B_API_KEY", "E2B_API_URL", "E2B_DOMAIN"))
    return folder_of_user() / hashlib.sha256(named.encode()).hexdigest()[:24]


def folder_of_user() -> Path:
    """Return a directory of this user, for what runs tell each other.

    Raises:
        RewardkitUsageError: another user could write there.
    """
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir()) / f"pytest-rewardkit-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if user and (found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022):
        raise RewardkitUsageError(f"{folder} must belong to this user alone, because slots of sandboxes are kept there")
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a file completely or not at all, because the writing process may be killed meanwhile."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.write_text(text, "ascii")
    beside.replace(path)
