"""Compares tables: CSV text with rows, cell by cell, numbers by value. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.values.tolerance import Tolerance


def table_difference(actual: str, expected: str | Sequence[Any], tolerance: Tolerance) -> str:
    """Return where CSV text first differs from the expected table, or "" if it does not.

    Parameters:
        actual: CSV, with commas.
        expected: CSV, or rows as lists of cells, or as mappings from column headings to cells.
        tolerance: the accepted difference between cells that are numbers.

    Cells are compared without white space around them; rows and columns keep their order.
    """
    wanted = _expected_rows(expected)
    try:
        # Only as many rows as can be right, and one more: there may be millions.
        rows = list(islice(_rows(actual), len(wanted) + 1))
    except csv.Error as error:
        return f"not CSV: {error}"
    for number, (row, expected_row) in enumerate(zip(rows, wanted, strict=False), start=1):
        if len(row) != len(expected_row):
            return f"row {number}: {len(expected_row)} cells expected, {len(row)} given: {shown(row)}"
        for column, (cell, expected_cell) in enumerate(zip(row, expected_row, strict=True), start=1):
            if not _same_cell(cell, expected_cell, tolerance):
                return f"row {number}, column {column}: expected {shown(expected_cell)}, got {shown(cell)}"
    if len(rows) > len(wanted):
        return f"{len(wanted)} rows expected, more given"
    if len(rows) < len(wanted):
        return f"{len(wanted)} rows expected, {len(rows)} given"
    return ""


def _rows(text: str) -> Iterator[list[str]]:
    return ([cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if row)


def _expected_rows(expected: str | Sequence[Any]) -> list[list[Any]]:
    if isinstance(expected, str):
        return [list(row) for row in _rows(expected)]
    if not isinstance(expected, Sequence):
        raise RewardkitUsageError(f"an expected table is CSV text, or a list of rows, not {shown(expected)}")
    mappings = [row for row in expected if isinstance(row, Mapping)]
    if mappings and len(mappings) == len(expected):
        heading = list(mappings[0])
        return [heading, *([row.get(name, "") for name in heading] for row in mappings)]
    if not all(isinstance(row, Sequence) and not isinstance(row, str) for row in expected):
        raise RewardkitUsageError(f"an expected table is CSV text, or a list of rows, not {shown(expected)}")
    return [list(row) for row in expected]


def _same_cell(actual: str, expected: Any, tolerance: Tolerance) -> bool:
    if actual == str(expected):
        return True
    try:
        return tolerance.allows(_number(actual), _number(expected))
    except (ValueError, TypeError):
        return False


def _number(cell: Any) -> int | float:
    if isinstance(cell, int | float):
        return cell
    text = str(cell)
    return int(text) if text.lstrip("+-").isdecimal() else float(text)
