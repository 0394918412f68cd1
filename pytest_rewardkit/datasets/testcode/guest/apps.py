"""APPS's rules for functions: which of an answer's forms count as the same. Runs before the test, in its namespace."""

from __future__ import annotations

from typing import Any


def read_table(columns: list[list[Any]]) -> list[tuple[list[Any], Any]]:
    """Returns pairs of arguments and the expected answer, with whole numbers as keys where JSON made texts of them."""
    inputs, outputs = columns
    return [
        ([_numbered(item) for item in given], _numbered(expected))
        for given, expected in zip(inputs, outputs, strict=True)
    ]


def assert_answers(out: Any, expected: Any) -> None:
    """Raises AssertionError unless `out` is what is expected, or the only item of what is expected."""
    out = _listed(out)
    if out == expected:
        return
    if isinstance(expected, list) and expected and out == expected[0]:
        return
    raise AssertionError(f"expected {repr(expected)[:300]}")


def _listed(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value


def _numbered(value: Any) -> Any:
    if isinstance(value, dict):
        try:
            return {int(key): item for key, item in value.items()}
        except ValueError:
            return value
    if isinstance(value, list):
        return [_numbered(item) for item in value]
    return value
