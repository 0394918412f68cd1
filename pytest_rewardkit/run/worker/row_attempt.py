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
    """Tell `record` which row and task `item` is about; `reduce` says how rewards of attempts become one number."""
    found = item.stash.get(_ROW_ATTEMPT, None)
    if found is None:
        return
    record.row = found.row
    if found.number is not None:
        from pytest_rewardkit.ledger.tasks import task_id
        from pytest_rewardkit.run.transport.node_ids import name_of

        record.task = task_id(name_of(item), found.number, of_row=found.row is not None)
        record.reduce = reduce
