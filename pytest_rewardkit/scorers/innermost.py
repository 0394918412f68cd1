"""Finds the innermost statement around a place, by spans, in time that does not grow with their number. Pure."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

Place = tuple[int, int]
"""A line and a column."""


class Innermost:
    """Spans of statements. Any two share at most an end, or one is inside the other.

    Parameters:
        spans: the first and the last place of each, and its statement.
    """

    def __init__(self, spans: Iterable[tuple[Place, Place, ast.stmt]]) -> None:
        self._spans = sorted(spans, key=lambda span: span[:2])
        self._starts = [start for start, _, _ in self._spans]
        self._around: list[int | None] = []
        """For each span, the number of one that ends after it, if any; a chain of these passes all that enclose it."""
        outer: list[int] = []
        for number, (start, _, _) in enumerate(self._spans):
            while outer and self._spans[outer[-1]][1] < start:
                outer.pop()
            self._around.append(outer[-1] if outer else None)
            outer.append(number)

    def at(self, place: Place) -> ast.stmt | None:
        """Return the innermost statement around a place; None if no span encloses it."""
        number: int | None = bisect_right(self._starts, place) - 1
        if number == -1:
            return None
        while number is not None and self._spans[number][1] < place:
            number = self._around[number]
        return None if number is None else self._spans[number][2]
