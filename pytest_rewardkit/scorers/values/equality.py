"""Where two values first differ: deep, in order, by Python's equality, with tolerance for floats.

The actual value is plain data from a sandbox (codec_decoder.py); its own `__eq__` never left it. The expected value is
the author's; `comparable` converts it to the same form, or refuses it.
"""

from __future__ import annotations

import datetime
import decimal
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Set
from dataclasses import dataclass
from numbers import Number
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import Encoder
from pytest_rewardkit.scorers.guest.codec_objects import Opaque, TooLargeError, type_name

if TYPE_CHECKING:
    from pytest_rewardkit.scorers.values.tolerance import Tolerance

MAX_DEPTH: Final = 200
"""Levels of nesting that are compared."""

MAX_PAIRED: Final = 100
"""Items of two sets that are matched one to one when rounding has changed them."""

_ATOMS: Final = (
    *(str, bytes, bytearray, Number, type(None), range, PurePath, UUID),
    *(datetime.date, datetime.time, datetime.timedelta),
)
_PROBES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    1,
    -1,
    0.5,
    "",
    "a",
    b"",
    (),
    [],
    [0],
    {},
    {"a": 1},
    frozenset(),
    object(),
)
_ITERATORS: Final = ("generator", "iterator", "map", "filter", "zip", "enumerate", "reversed", "dict_values")


def comparable(expected: Any) -> Any:
    """Return the author's value in the form in which a sandbox would send it; matchers, such as `pytest.approx`, stay.

    Raises RewardkitUsageError for a value that nothing from a sandbox can equal, with advice.
    """
    others: list[Any] = []

    def kept(value: Any) -> Any:
        others.append(value)
        return {"kept": len(others) - 1}

    try:
        plain = decode(Encoder(kept).encode(expected), kept=others.__getitem__)
    except (TooLargeError, RecursionError):
        raise RewardkitUsageError("the expected value is too large, or nested too deep, to be compared") from None
    for value in others:
        if not _is_matcher(value):
            name = type_name(type(value)).removeprefix("builtins.")
            way_out = "give a list" if name.endswith(_ITERATORS) else "use checker=, or compare= for its text"
            raise RewardkitUsageError(f"nothing that comes out of a sandbox equals a {name}: {way_out}")
    return plain


def _is_matcher(value: Any) -> bool:
    """Whether an object's `__eq__` decides about values of other types, rather than of its own type."""
    kind: Any = type(value)
    if kind.__eq__ is object.__eq__:
        return False
    if kind.__module__.startswith("_pytest."):
        return True
    verdicts = [_says(value, probe) for probe in _PROBES]
    if all(verdict is NotImplemented for verdict in verdicts) or not all(
        verdict is NotImplemented or isinstance(verdict, bool | Exception) for verdict in verdicts
    ):
        return False
    # A value equals itself and nothing plain; a matcher is seldom equal to itself.
    return any(verdict is True for verdict in verdicts) or _says(value, value) is not True


def _says(value: Any, other: Any) -> Any:
    kind: Any = type(value)
    try:
        return kind.__eq__(value, other)
    except Exception as error:
        return error


@dataclass(frozen=True, slots=True)
class _Field:
    """A step into a record, instead of a key."""

    name: str


def value_difference(actual: Any, expected: Any, tolerance: Tolerance) -> str:
    """Return where and how `actual` first differs from `expected`, or "" when it does not. Both are plain data."""
    return _difference(actual, expected, tolerance, ())


def _difference(actual: Any, expected: Any, tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if len(path) > MAX_DEPTH:
        return _unequal(actual, expected, path[:3], "nested too deep to compare")
    if isinstance(expected, Opaque):
        return _structure_difference(actual, expected, tolerance, path)
    if isinstance(expected, Mapping):
        return _mapping_difference(actual, expected, tolerance, path)
    if isinstance(expected, Set):
        return _set_difference(actual, expected, tolerance, path)
    if isinstance(expected, list | tuple | deque):
        return _sequence_difference(actual, expected, tolerance, path)
    if isinstance(expected, Number) and isinstance(actual, Number):
        equal = _same_numbers(actual, expected, tolerance)
    else:
        equal = _same_objects(actual, expected)
    return "" if equal else _unequal(actual, expected, path)


def _structure_difference(actual: Any, expected: Opaque, tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if not isinstance(actual, Opaque) or actual.fields is None or actual.name != expected.name:
        return _unequal(actual, expected, path)
    for name, wanted in (expected.fields or {}).items():
        if name not in actual.fields:
            return _unequal(actual, expected, path, f"it has no {shown(name)}")
        if difference := _difference(actual.fields[name], wanted, tolerance, (*path, _Field(name))):
            return difference
    if extra := [name for name in actual.fields if name not in (expected.fields or {})]:
        return _unequal(actual, expected, path, f"{shown(extra[0])} is too much")
    return ""


def _sequence_difference(actual: Any, expected: Any, tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if isinstance(expected, list):
        # A column, an index or a tensor counts as a list, as an array does.
        if isinstance(actual, Opaque) and actual.items is not None:
            actual = actual.items
        accepted: tuple[type, ...] = (list, tuple)
    else:
        accepted = (tuple,) if isinstance(expected, tuple) else (deque,)
    if type(actual) not in accepted:
        return _unequal(actual, expected, path)
    for index, (item, wanted) in enumerate(zip(actual, expected, strict=False)):
        if difference := _difference(item, wanted, tolerance, (*path, index)):
            return difference
    if len(actual) != len(expected):
        return _unequal(actual, expected, path, f"{len(expected)} items expected, {len(actual)} given")
    return ""


def _mapping_difference(actual: Any, expected: Mapping[Any, Any], tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if not isinstance(actual, dict):
        return _unequal(actual, expected, path)
    if isinstance(actual, Counter) and isinstance(expected, Counter):
        # Counters do not distinguish a count of zero from a missing key.
        actual, expected = ({key: n for key, n in item.items() if n != 0} for item in (actual, expected))
    actual = _with_expected_keys(actual, expected, tolerance)
    for key, wanted in expected.items():
        if key not in actual:
            return _unequal(actual, expected, path, f"key {shown(key)} is missing")
        if difference := _difference(actual[key], wanted, tolerance, (*path, key)):
            return difference
    if extra := [key for key in actual if key not in expected]:
        return _unequal(actual, expected, path, f"key {shown(extra[0])} is too much")
    if isinstance(actual, OrderedDict) and isinstance(expected, OrderedDict) and list(actual) != list(expected):
        return _unequal(actual, expected, path, "the keys have another order")
    return ""


def _with_expected_keys(actual: dict[Any, Any], expected: Mapping[Any, Any], tolerance: Tolerance) -> dict[Any, Any]:
    """`actual` with expected keys for those that only rounding, or NaN, makes unequal."""
    missing = [key for key in expected if key not in actual]
    if not 0 < len(missing) <= MAX_PAIRED or len(actual) != len(expected):
        return actual
    names: dict[Any, Any] = {}
    for key in actual:
        near = None if key in expected else next((n for n in missing if not _difference(key, n, tolerance, ())), None)
        if near is not None:
            missing = [other for other in missing if other is not near]
        names[id(key)] = key if near is None else near
    kind = OrderedDict if isinstance(actual, OrderedDict) else dict
    return kind((names[id(key)], value) for key, value in actual.items())


def _set_difference(actual: Any, expected: Set[Any], tolerance: Tolerance, path: tuple[Any, ...]) -> str:
    if not isinstance(actual, set | frozenset):
        return _unequal(actual, expected, path)
    missing = [item for item in expected if item not in actual]
    extra = [item for item in actual if item not in expected]
    if len(missing) == len(extra) and _can_be_paired(extra, missing, tolerance):
        return ""
    what = f"{shown(missing[0])} is missing" if missing else f"{shown(extra[0])} is too much"
    return _unequal(actual, expected, path, what)


def _can_be_paired(extra: list[Any], missing: list[Any], tolerance: Tolerance) -> bool:
    """Whether the items that sets do not share are equal within tolerance."""
    if all(_is_real(item) for item in missing + extra):
        pairs = zip(sorted(extra), sorted(missing), strict=True)  # in order of size
        return all(_same_numbers(item, wanted, tolerance) for item, wanted in pairs)
    if len(missing) > MAX_PAIRED:
        return False
    left = list(extra)
    for wanted in missing:
        found = next((n for n, item in enumerate(left) if not _difference(item, wanted, tolerance, ())), None)
        if found is None:
            return False
        del left[found]
    return True


def _is_real(item: Any) -> bool:
    return isinstance(item, int | float) and item == item


def _same_numbers(actual: Any, expected: Any, tolerance: Tolerance) -> bool:
    if isinstance(actual, int | float | complex) and isinstance(expected, int | float | complex):
        return tolerance.allows(actual, expected)
    if _is_nan(actual) or _is_nan(expected):
        return _is_nan(actual) and _is_nan(expected)
    if bool(actual == expected):
        return True
    if isinstance(actual, complex) or isinstance(expected, complex):
        return False
    if not tolerance.given and not isinstance(expected, float) and not isinstance(actual, float):
        return False
    try:
        return tolerance.allows(float(actual), float(expected))
    except (OverflowError, ValueError, TypeError):
        return False


def _is_nan(value: Any) -> bool:
    # Comparing a signalling NaN raises.
    return value.is_nan() if isinstance(value, decimal.Decimal) else bool(value != value)


def _same_objects(actual: Any, expected: Any) -> bool:
    if isinstance(expected, _ATOMS):
        return isinstance(actual, _ATOMS) and bool(actual == expected)
    # A matcher, such as pytest.approx or mock.ANY, decides for itself; `actual` has no say, since it is asked second.
    try:
        return bool(expected == actual)
    except Exception:  # whatever it fails on came from the candidate
        return False


def _unequal(actual: Any, expected: Any, path: tuple[Any, ...], detail: str = "") -> str:
    steps = [f".{step.name}" if isinstance(step, _Field) else f"[{shown(step)}]" for step in path]
    place = f"at {''.join(steps)}: " if path else ""
    if isinstance(actual, Opaque) and actual.name.endswith(_ITERATORS):
        detail = detail or "which is used up as it is read: make it a list"
    return f"{place}expected {_named(expected, actual)}, got {_named(actual, expected)}{detail and f' ({detail})'}"


def _named(value: Any, other: Any) -> str:
    """`value` as written in Python; with its type if only that distinguishes it from `other`."""
    text = shown(value)
    if text == shown(other) or (type(value) is not type(other) and isinstance(value, str | list | tuple)):
        return f"the {value.type_name if isinstance(value, Opaque) else type(value).__name__} {text}"
    return text
