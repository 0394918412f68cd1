"""Where two values differ first: deep, in order, by Python's equality, with tolerance for floats.

The actual value is plain data that came out of a sandbox; its own `__eq__` never left it. The expected value is the
author's, and may be anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Set
from numbers import Number
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.scorers.difference import shown

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.tolerance import Tolerance

DEEPEST: Final = 200
"""Levels of nesting that are compared."""

_ATOMS: Final = (str, bytes, bytearray, Number, type(None), datetime.date, datetime.time, datetime.timedelta)


def value_difference(actual: Any, expected: Any, tolerance: Tolerance) -> str:
    """Return where and how `actual` first differs from `expected`, or "" when it does not."""
    return _difference(actual, _plain(expected), tolerance, ())


def _difference(actual: Any, expected: Any, tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if len(path) > DEEPEST:
        return _unequal(actual, expected, path[:3], "nested too deep to compare")
    if isinstance(expected, Mapping):
        return _mapping_difference(actual, expected, tolerance, path)
    if isinstance(expected, Set):
        return _set_difference(actual, expected, tolerance, path)
    if isinstance(expected, list | tuple):
        return _sequence_difference(actual, expected, tolerance, path)
    if isinstance(expected, Number) and isinstance(actual, Number):
        equal = _same_numbers(actual, expected, tolerance)
    else:
        equal = _same_objects(actual, expected)
    return "" if equal else _unequal(actual, expected, path)


def _sequence_difference(
    actual: Any, expected: list[Any] | tuple[Any, ...], tolerance: Tolerance, path: tuple[Any, ...]
) -> str:
    accepted = (list, tuple) if isinstance(expected, list) else (tuple,)
    if not isinstance(actual, accepted):
        return _unequal(actual, expected, path)
    for index, (item, wanted) in enumerate(zip(actual, expected, strict=False)):
        if difference := _difference(item, _plain(wanted), tolerance, (*path, index)):
            return difference
    if len(actual) != len(expected):
        return _unequal(actual, expected, path, f"{len(expected)} items expected, {len(actual)} given")
    return ""


def _mapping_difference(actual: Any, expected: Mapping[Any, Any], tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if not isinstance(actual, dict):
        return _unequal(actual, expected, path)
    for key, wanted in expected.items():
        if key not in actual:
            return _unequal(actual, expected, path, f"key {shown(key)} is missing")
        if difference := _difference(actual[key], _plain(wanted), tolerance, (*path, key)):
            return difference
    if extra := [key for key in actual if key not in expected]:
        return _unequal(actual, expected, path, f"key {shown(extra[0])} is too much")
    return ""


def _set_difference(actual: Any, expected: Set[Any], tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if not isinstance(actual, set | frozenset):
        return _unequal(actual, expected, path)
    missing = [item for item in expected if item not in actual]
    extra = [item for item in actual if item not in expected]
    if not missing and not extra:
        return ""
    if len(missing) == len(extra) and all(_is_real(item) for item in missing + extra):
        # Numbers that rounding moved, paired in order of size.
        pairs = zip(sorted(extra), sorted(missing), strict=True)
        if all(_same_numbers(item, wanted, tolerance) for item, wanted in pairs):
            return ""
    what = f"{shown(missing[0])} is missing" if missing else f"{shown(extra[0])} is too much"
    return _unequal(actual, expected, path, what)


def _is_real(item: Any) -> bool:
    return isinstance(item, int | float) and item == item


def _same_numbers(actual: Any, expected: Any, tolerance: Tolerance) -> bool:
    if isinstance(actual, int | float | complex) and isinstance(expected, int | float | complex):
        return tolerance.allows(actual, expected)
    if bool(actual == expected):
        return True
    if not tolerance.given or isinstance(actual, complex) or isinstance(expected, complex):
        return False
    try:
        return tolerance.allows(float(actual), float(expected))
    except (OverflowError, ValueError, TypeError):
        return False


def _same_objects(actual: Any, expected: Any) -> bool:
    if isinstance(expected, _ATOMS):
        return isinstance(actual, _ATOMS) and bool(actual == expected)
    # A matcher, such as pytest.approx or mock.ANY, decides for itself; `actual` has no say, being asked second.
    try:
        return bool(expected == actual)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return False


def _plain(value: Any) -> Any:
    """Arrays and scalars of NumPy as lists and numbers; everything else as it is."""
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return value


def _unequal(actual: Any, expected: Any, path: tuple[Any, ...], detail: str = "") -> str:
    place = "at " + "".join(f"[{shown(step)}]" for step in path) + ": " if path else ""
    return f"{place}expected {_named(expected, actual)}, got {_named(actual, expected)}{detail and f' ({detail})'}"


def _named(value: Any, other: Any) -> str:
    """`value` as written in Python; with its type where that is all that sets it apart from `other`."""
    text = shown(value)
    if text == shown(other) or (type(value) is not type(other) and isinstance(value, str | list | tuple)):
        return f"the {type(value).__name__} {text}"
    return text
