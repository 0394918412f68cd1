"""Describes the first difference of two texts: the line, both sides, and a caret under the column; cut to size."""

from __future__ import annotations

import reprlib
from itertools import zip_longest
from operator import eq
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WINDOW: Final = 90
"""Characters shown of each of two different lines, around the first difference."""

SHOWN_LIMIT: Final = 120
"""Characters of a value that a reason names."""


def text_difference(actual: Sequence[str], expected: Sequence[str], same: Callable[[str, str], bool] = eq) -> str:
    """Describe the first difference of two unequal texts, given as lines.

    `same` decides whether two lines count as equal.
    """
    for number, (line, wanted) in enumerate(zip_longest(actual, expected), start=1):
        if wanted is None:
            return f"line {number} is too much: {shown(line)} (expected {_lines(len(expected))}, got {len(actual)})"
        if line is None:
            return f"line {number} is missing: {shown(wanted)} (expected {_lines(len(expected))}, got {len(actual)})"
        if not same(line, wanted):
            where = f"line {number} differs" if len(expected) > 1 or len(actual) > 1 else "the text differs"
            return f"{where}:\n{_side_by_side(line, wanted)}"
    return "the texts differ"


def shown(value: Any, limit: int = SHOWN_LIMIT) -> str:
    """Return `value` in Python's notation, on one line and in at most `limit` characters; works for every value."""
    return one_line(_Bounded(limit).repr(value), limit)


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def _side_by_side(actual: str, expected: str) -> str:
    column = next(
        (i for i, (a, b) in enumerate(zip(actual, expected, strict=False)) if a != b), min(len(actual), len(expected))
    )
    start = max(0, column - WINDOW // 2)
    before = printable(actual[start:column])
    lead = "..." if start else ""
    return "\n".join(
        [
            f"  expected: {lead}{before}{_rest(expected, column, start)}",
            f"  actual:   {lead}{before}{_rest(actual, column, start)}",
            f"            {' ' * (len(lead) + len(before))}^",
        ]
    )


def _rest(line: str, column: int, start: int) -> str:
    end = start + WINDOW
    return printable(line[column:end]) + ("..." if len(line) > end else "")


class _Bounded(reprlib.Repr):
    """`repr` with a bound on every kind of value; it never writes more digits of a whole number than Python allows."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.maxstring = self.maxother = limit
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = max(8, limit // 12)
        self.maxlevel = 6

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > 200:
            return f"<a whole number of {x.bit_length():,} bits>"
        return super().repr_int(x, level)
