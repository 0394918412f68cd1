"""Which row of a dataset a test is about, and which attempt at it, as those say who make tests of rows and attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.record import Record

_ROW_ATTEMPT: Final = pytest.StashKey["RowAttempt"]()


@dataclass(frozen=True, slots=True)
class RowAttempt:
    """What one of the tests of a function is about.

    Parameters:
        row: the id of the row; None where there is none.
        number: which of several attempts it is, from 1; None where there is but one.
    """

    row: str | None
    number: int | None


def note_row_attempt(item: pytest.Item, row_attempt: RowAttempt) -> None:
    """Note what `item` is about."""
    item.stash[_ROW_ATTEMPT] = row_attempt


def is_of_row(item: pytest.Item) -> bool:
    """Whether `item` is about a row."""
    found = item.stash.get(_ROW_ATTEMPT, None)
    return found is not None and found.row is not None


def tell_record(item: pytest.Item, record: Record, *, reduce: str) -> None:
    """Tell `record` which row and task `item` is about; `reduce` says how rewards of attempts become one number.

    One attempt alone is its task's reward, except for what counts successes.
    """
    found = item.stash.get(_ROW_ATTEMPT, None) or RowAttempt(None, None)
    record.row = found.row
    if found.number is None and takes_attempts(reduce) is None:
        return
    from pytest_rewardkit.ledger.tasks import task_id
    from pytest_rewardkit.run.transport.node_ids import name_of

    name = name_of(item)
    record.task = name if found.number is None else task_id(name, found.number, of_row=found.row is not None)
    record.reduce = reduce


def takes_attempts(reduce: str) -> int | None:
    """How many attempts a reducer needs; None for one that takes any number."""
    if reduce == "mean":
        return None
    from pytest_rewardkit.ledger.reduce import parse_reducer

    return parse_reducer(reduce).k
