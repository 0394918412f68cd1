"""Finds the last runs in a folder of results files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.graders import graders_in
from pytest_rewardkit.ledger.history import History, PastRun
from pytest_rewardkit.reports.results.file import read, run_of
from pytest_rewardkit.reports.results.shards import shard_of
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

RUNS: Final = 20
"""Most runs in a history."""
MAX_TEXT: Final = 256_000_000
"""Characters of one file, unpacked; the files that runs keep here automatically have a thousandth of that."""
MAX_FIRST: Final = 1_000_000
"""Characters of the first line."""
# Anyone may have put a file there, and none of them may end the run that reads it.
_UNREADABLE: Final = (
    RewardkitUsageError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def past_runs(folder: Path, before: datetime) -> History:
    """Return the last `RUNS` runs in `folder`, at any depth, that began earlier than `before`.

    Duplicates of a run count once. Files that cannot be read, or are not about a run of tests, are left out.
    """
    left_out: list[str] = []
    found: list[tuple[datetime, Path]] = []
    for path in sorted(folder.rglob("[!.]*")):
        # Another kind of file, such as a named pipe, might never end.
        if not path.name.endswith((".jsonl", ".jsonl.gz")) or not path.is_file():
            continue
        try:
            if (started := moment(run_of(path, limit=MAX_FIRST).get("started"))) < before:
                found.append((started, path))
        except _UNREADABLE as error:
            left_out.append(_why(path, error))
    runs: list[PastRun] = []
    for started, path in sorted(found, reverse=True):
        if len(runs) == RUNS:
            break
        try:
            run = _past_run(path, started)
        except _UNREADABLE as error:
            left_out.append(_why(path, error))
            continue
        if all((it.started, it.rewards) != (run.started, run.rewards) for it in runs):
            runs.append(run)
    return History(runs[::-1], left_out)


def moment(started: Any) -> datetime:
    """Return the time, in UTC, at which a run says it began. Raises ValueError if it does not say."""
    try:
        found = datetime.fromisoformat(started)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"it does not say when its run began: {one_line(repr(started), 60)}") from None


def _past_run(path: Path, started: datetime) -> PastRun:
    stored = read(path, details=False, limit=MAX_TEXT)
    if (shard := shard_of(stored)) is not None:
        raise ValueError(f"it is {shard} of a run; join them all first")
    if graders_in(stored.ledger):
        raise ValueError("it checks graders")
    rewards = {test.node_id: test.value for test in stored.ledger.tasks}
    # The mean of a run of some tests says nothing in comparison with that of all.
    whole = not stored.unfinished and not stored.narrowed_by
    mean = stored.ledger.figures().mean if whole else None
    if mean is not None and not 0 <= mean <= 1:
        raise ValueError(f"its mean is {mean}")
    return PastRun(path.name, started, mean, rewards)


def _why(path: Path, error: Exception) -> str:
    return one_line(f"{path.name}: {str(error).removeprefix(f'{path}, ').removeprefix(f'{path}: ')}", 300)
