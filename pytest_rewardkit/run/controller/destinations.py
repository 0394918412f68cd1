"""Checks before anything runs that reports can be written where they are wanted: sandboxes and models cost money."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from pytest_rewardkit.settings import RunSettings


def check_destinations(config: pytest.Config, settings: RunSettings) -> None:
    """Raise RewardkitUsageError, naming option and path, if the run could not write what its options ask for."""
    writes_candidates = settings.candidates_mode != "replay" and not settings.selfcheck and settings.stored is None
    files: Mapping[str, str | None] = {
        "results": settings.results,
        "html": settings.html,
        "ctrf": settings.ctrf,
        "candidates": settings.candidates if writes_candidates else None,
    }
    folders: Mapping[str, str | None] = {
        "history": settings.history,
        "harbor": settings.harbor,
        "artifacts": settings.artifacts if settings.artifacts_when != "off" else None,
    }
    for option, name in (*files.items(), *folders.items()):
        if name is None:
            continue
        path = config.invocation_params.dir / Path(name).expanduser()
        try:
            if option in files and _is_folder(path):
                raise RewardkitUsageError(f"--rewardkit-{option}: {path} is a directory; name a file in it")
            require_writable(path.parent if option in files else path)
        except OSError as error:
            raise RewardkitUsageError(
                f"--rewardkit-{option}: cannot write to {path}: {error.strerror or error}"
            ) from None


def require_writable(folder: Path) -> None:
    """Raise OSError if no file can be created in a folder, or in the nearest one that exists. Leaves nothing there."""
    for place in (folder, *folder.parents):
        if (is_folder := _is_folder(place)) is None and not place.is_symlink():
            continue
        if not is_folder:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
        with tempfile.TemporaryFile(dir=place):
            return


def _is_folder(path: Path) -> bool | None:
    """Whether a path is a folder; None if nothing is there. Raises OSError, unlike `Path.is_dir`."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return None
