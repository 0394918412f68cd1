"""The row of a dataset that a test is about, and the attempt, as noted by the code that makes tests of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.record import Record

_ROW_ATTEMPT: Final = pytest.StashKey["RowAttempt"]()


@dataclass(frozen=True, slots=True)
class RowAttempt:
    """What one test of a function is about.

    Parameters:
        row: the id of the row; None if there is no row.
        number: the number of the attempt, from 1; None if there is only one.
    """

    row: str | None
    number: int | None


_NO_ROW: Final = RowAttempt(None, None)


def note_row_attempt(item: pytest.Item, row_attempt: RowAttempt) -> None:
    """Note the row and attempt of `item`."""
    item.stash[_ROW_ATTEMPT] = row_attempt


def is_of_row(item: pytest.Item) -> bool:
    """Whether `item` is about a row."""
    return _ROW_ATTEMPT in item.stash and item.stash[_ROW_ATTEMPT].row is not None


def tell_record(item: pytest.Item, record: Record, *, reduce: str) -> None:
    """Tell `record` which row and task `item` is about; `reduce` says how rewards of attempts become one number.

    A single attempt is its task's reward, except for reducers that count successes.
    """
    found = _NO_ROW
    # A stash takes longer to return a default than to say that it has nothing.
    if _ROW_ATTEMPT in item.stash:
        found = item.stash[_ROW_ATTEMPT]
    record.row = found.row
    if found.number is None and takes_attempts(reduce) is None:
        return
    from pytest_rewardkit.ledger.tasks import task_id
    from pytest_rewardkit.run.transport.node_ids import name_of

    name = name_of(item)
    record.task = name if found.number is None else task_id(name, found.number, of_row=found.row is not None)
    record.reduce = reduce


def takes_attempts(reduce: str) -> int | None:
    """Return how many attempts a reducer needs; None if it takes any number."""
    if reduce == "mean":
        return None
    from pytest_rewardkit.ledger.reduce import parse_reducer

    return parse_reducer(reduce).k
