"""Decides which results of a function count as the same. Runs before the test, in its namespace."""

from __future__ import annotations

import math
from typing import Any


class Answers:
    """Compares results; tuples count as lists, as in JSON.

    Parameters:
        only_item: whether a result equal to the first item of the expected one is also right, as in APPS.
        tolerance: how far numbers may differ, relative and absolute; None for Python's equality.
    """

    def __init__(self, *, only_item: bool, tolerance: tuple[float, float] | None) -> None:
        self._only_item = only_item
        self._tolerance = tolerance

    def assert_same(self, out: Any, expected: Any) -> None:
        """Raises AssertionError unless `out` is the expected result."""
        out = _listed(out)
        if self._same(out, expected):
            return
        if self._only_item and isinstance(expected, list) and expected and self._same(out, expected[0]):
            return
        raise AssertionError(f"expected {repr(expected)[:300]}")

    def _same(self, out: Any, expected: Any) -> bool:
        if out == expected:
            return True
        if self._tolerance is None:
            return False
        if isinstance(expected, list):
            return isinstance(out, list) and len(out) == len(expected) and all(map(self._same, out, expected))
        if isinstance(expected, dict):
            if not isinstance(out, dict) or out.keys() != expected.keys():
                return False
            return all(self._same(out[key], value) for key, value in expected.items())
        return _is_number(out) and _is_number(expected) and self._near(out, expected)

    def _near(self, out: float, expected: float) -> bool:
        assert self._tolerance is not None
        relative, absolute = self._tolerance
        if out != out and expected != expected:
            return True
        if relative == absolute == 0:  # long whole numbers may look alike as floats
            return False
        try:
            return math.isclose(out, expected, rel_tol=relative, abs_tol=absolute)
        except OverflowError:  # a whole number beyond the range of floats
            return False


def _listed(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
