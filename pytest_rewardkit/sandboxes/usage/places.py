"""The journals of runs, and which of these runs go on: files of this user in the temporary directory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.sandboxes.quota.folder import folder_of_key
from pytest_rewardkit.sandboxes.quota.lock import Lock, try_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_RUNS: Final = "runs"


def path_of(environ: Mapping[str, str], run_id: str) -> Path:
    """Return the path of the journal of a run whose sandboxes belong to the key that E2B's variables name."""
    return folder_of_key(environ) / _RUNS / f"{run_id}.jsonl"


def lock_of(environ: Mapping[str, str], run_id: str) -> Lock | None:
    """Mark a run as going on, until the lock is released or its process ends; None if another process has the lock."""
    return try_lock(folder_of_key(environ) / _RUNS / f"{run_id}.lock")


def journals_of(environ: Mapping[str, str]) -> list[Path]:
    """Return the journals that runs of the key have left on this machine, and those of runs that go on."""
    return sorted((folder_of_key(environ) / _RUNS).glob("*.jsonl"))


def goes_on(environ: Mapping[str, str], run_id: str) -> bool:
    """Whether a run goes on, on this machine."""
    path = folder_of_key(environ) / _RUNS / f"{run_id}.lock"
    if not path.exists():
        return False
    if (lock := try_lock(path)) is None:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False


def end_run(environ: Mapping[str, str], run_id: str, lock: Lock) -> None:
    """Mark a run as ended, and release its lock."""
    (folder_of_key(environ) / _RUNS / f"{run_id}.lock").unlink(missing_ok=True)
    lock.release()


def tidy(environ: Mapping[str, str]) -> None:
    """Remove the directories of the key if they are empty, as for a server that is used only once."""
    folder = folder_of_key(environ)
    with suppress(OSError):
        (folder / _RUNS).rmdir()
        folder.rmdir()
