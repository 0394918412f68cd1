"""Paths as envd takes them."""

from __future__ import annotations

import posixpath

from pytest_rewardkit.local.errors import BadPathError
from pytest_rewardkit.local.server.context import HOME

MAX_PATH_BYTES = 4096


def resolve(path: str) -> str:
    """The absolute path that `path` means inside a sandbox.

    Parameters:
        path: absolute, relative to the home directory, `~` or `~/...`; empty for the home directory.

    Raises:
        BadPathError: it names another user's home, holds a NUL, or is too long.
    """
    if "\0" in path:
        raise BadPathError("a path cannot hold a NUL")
    if len(path.encode("utf-8", "surrogateescape")) > MAX_PATH_BYTES:
        raise BadPathError(f"a path cannot be longer than {MAX_PATH_BYTES} bytes")
    if path == "~" or path.startswith("~/"):
        path = path[2:]
    elif path.startswith("~"):
        raise BadPathError(f"cannot expand the home directory in '{path}': the sandbox has one user, 'user'")
    # Two leading slashes mean one here, although POSIX allows another meaning.
    return posixpath.normpath("/" + posixpath.join(HOME, path).lstrip("/"))
