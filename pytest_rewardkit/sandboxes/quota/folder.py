"""Where the processes of a user that have a key in common find each other's slots."""

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
    """The directory of the key, and of the place, that E2B's variables name.

    Raises:
        RewardkitUsageError: somebody else could write there.
    """
    named = "\n".join(environ.get(name, "") for name in ("E2B_API_KEY", "E2B_API_URL", "E2B_DOMAIN"))
    return folder_of_user() / hashlib.sha256(named.encode()).hexdigest()[:24]


def folder_of_user() -> Path:
    """A directory of this user's, for what runs tell each other.

    Raises:
        RewardkitUsageError: somebody else could write there.
    """
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir()) / f"pytest-rewardkit-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if user and (found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022):
        raise RewardkitUsageError(f"{folder} must belong to this user alone, because slots of sandboxes are kept there")
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: who writes may be killed meanwhile."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.write_text(text, "ascii")
    beside.replace(path)
