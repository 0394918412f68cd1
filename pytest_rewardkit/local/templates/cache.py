"""The directory in which environments are kept, each by the digest of its contents, and made once.

An environment is made where it stays, since it holds its own place in many files. It counts as made when a file of its
own says so, which comes by one renaming; what is there without that is what somebody has left who was ended meanwhile.
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
"""Names another directory."""

MADE: Final = "made"
"""The file that says so; its text says what for, its time when it was last asked for, and who uses it has it locked."""


def directory() -> Path:
    """Return where environments are kept.

    For root that is where other users can read: at the isolation level `uid`, sandboxes are other users.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).absolute() / "templates"
    caches = os.environ.get("XDG_CACHE_HOME") or ("/var/cache" if os.geteuid() == 0 else Path.home() / ".cache")
    return Path(caches) / "pytest-rewardkit" / "templates"


def made_once(digest: str, title: str, make: Callable[[Path], None], wait: Callable[[], None]) -> Path:
    """Return the environment of a digest, which is made if it is not there.

    Parameters:
        title: what it is for.
        make: makes it in an empty directory.
        wait: called where another process is about to make it, before that is waited for.

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
    """Have an environment stay as long as the descriptor is open that this returns.

    Raises:
        BuildError: it is not there any more.
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
        return True  # another user's
    except OSError:
        return (place / MADE).exists()
    return True


@contextmanager
def _locked(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock that ends with its process."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
