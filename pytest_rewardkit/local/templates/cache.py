"""The directory that keeps environments, each by the digest of its contents, and made once.

An environment is made in its final place, because many of its files hold their own path. It counts as made once it has
a certain file, which one renaming puts there. A directory without that file is left from a process that was ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE: Final = "REWARDKIT_CACHE"
"""The variable that names another directory."""

MADE: Final = "made"
"""That file. Its text is the environment's purpose, its time that of the last request, and users hold a lock on it."""


def directory() -> Path:
    """Return the directory that keeps environments.

    For root it is one that other users can read: at the isolation level `uid`, sandboxes are other users.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).absolute() / "templates"
    caches = os.environ.get("XDG_CACHE_HOME") or ("/var/cache" if os.geteuid() == 0 else Path.home() / ".cache")
    return Path(caches) / "pytest-rewardkit" / "templates"


def made_once(digest: str, title: str, make: Callable[[Path], None], wait: Callable[[], None]) -> Path:
    """Return the environment for a digest; make it if it does not exist.

    Parameters:
        title: its purpose.
        make: makes it in an empty directory.
        wait: called before waiting for another process that is making it.

    Raises:
        BuildError: it cannot be made, or there is no place for it.
    """
    place = directory() / digest
    if _is_there(place):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place.with_suffix(".lock"), wait):
            if not _is_there(place):
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                try:
                    make(place)
                except BaseException:
                    shutil.rmtree(place, ignore_errors=True)
                    raise
                (place / "making").write_text(title, "utf-8")
                (place / "making").replace(place / MADE)
    except OSError as error:
        raise BuildError(f"{error.strerror}: {error.filename} ({VARIABLE} names another directory)") from None
    return place


def hold(place: Path) -> int:
    """Keep an environment as long as the returned descriptor is open.

    Raises:
        BuildError: it no longer exists.
    """
    try:
        held = os.open(place / MADE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise BuildError(f"{place} is gone: {error.strerror}") from None
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        (place / MADE).stat()
    except OSError:
        os.close(held)
        raise BuildError(f"{place} has just been removed") from None
    return held


def _is_there(place: Path) -> bool:
    try:
        os.utime(place / MADE)
    except PermissionError:
        return True  # it belongs to another user
    except OSError:
        return (place / MADE).exists()
    return True


@contextmanager
def _locked(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock that ends with this process."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
