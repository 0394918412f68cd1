"""The codec for values that enter or leave a sandbox, as data for JSON; never by pickle. This half encodes.

The source of the codec is sent into the candidate's interpreter (inside.py); the host also encodes and decodes
(codec_decoder.py). So it needs only the standard library.

Whatever a candidate does to its interpreter, only a text gets out. The host decodes it into plain data of built-in
types, types of the standard library, and `Opaque` objects, or refuses it.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, UserList, UserString, deque
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID

from pytest_rewardkit.scorers.guest.codec_libraries import taking_apart
from pytest_rewardkit.scorers.guest.codec_objects import (
    MAX_DEPTH,
    MAX_INTEGER_BITS,
    MAX_ITEMS,
    Moment,
    Opaque,
    TooLargeError,
    text_of,
    type_name,
)

TYPING = False
if TYPING:
    from typing import Any

MAX_CHARACTERS = 4_000_000
SAFE_INTEGER = 2**53


_OWN_TO_PYTHON = frozenset([type(None), bool, int, float, complex, str, bytes])
_HOLDERS = frozenset([list, tuple, set, frozenset, dict])
MAX_WRITTEN_BITS = 10_000
"""Bits of a whole number that every Python writes in digits."""


def has_plain_text(value: Any) -> bool:
    """Whether a value consists only of Python's own types, whose texts are the same everywhere."""
    pending, items = [value], 0
    while pending:
        item = pending.pop()
        kind = type(item)
        items += 1
        if items > MAX_ITEMS:
            return False
        if kind in _HOLDERS:
            items += len(item)
            pending += [*item, *item.values()] if kind is dict else item
        elif kind not in _OWN_TO_PYTHON or (kind is int and item.bit_length() > MAX_WRITTEN_BITS):
            return False
    return True


class Encoder:
    """Encodes one value as data for JSON.

    Parameters:
        foreign: replaces an object that is not plain data and cannot be taken apart; by default its type's name and its
            text are kept.
    """

    def __init__(self, foreign: Any = None) -> None:
        self._items = 0
        self._characters = 0
        self._foreign = foreign
        self._encodings: dict[type, Any] = {}

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The data of a value."""
        self._count(value, depth)
        kind = type(value)
        if value is None or kind is bool:
            return value
        encoding = self._encodings.get(kind)
        if encoding is None:
            encoding = self._encodings[kind] = _encoding(kind) or Encoder._opaque
        try:
            return encoding(self, value, depth)
        except (TooLargeError, MemoryError, RecursionError):
            raise
        except Exception:  # its class has methods of its own
            return self._opaque(value, depth)

    def all(self, values: Any, depth: int) -> list[Any]:
        """The data of several values."""
        return [self.encode(value, depth + 1) for value in values]

    def fraction(self, numerator: int, denominator: int) -> Any:
        """The data of a fraction."""
        return {"Fraction": [hex(numerator), hex(denominator)]}

    def structure(self, value: Any, fields: Any, depth: int, name: str = "", extras: Any = None) -> Any:
        """The data of an object, from its content."""
        encoded = {str(field): self.encode(item, depth + 1) for field, item in fields.items()}
        content = [name or type_name(type(value)), self._text(value), encoded]
        if extras is not None:
            content.append({field: self.encode(item, depth + 1) for field, item in extras.items()})
        return {"object": content}

    def _opaque(self, value: Any, _: int) -> Any:
        if self._foreign is not None:
            return self._foreign(value)
        return {"object": [type_name(type(value)), self._text(value)]}

    def _text(self, value: Any) -> str:
        text = text_of(repr, value, 1000)
        self._characters += len(text)
        return text

    def _count(self, value: Any, depth: int) -> None:
        self._items += 1
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            self._characters += len(value)
        elif isinstance(value, int):
            self._characters += value.bit_length() // 4
            if value.bit_length() > MAX_INTEGER_BITS:
                raise TooLargeError
        if depth > MAX_DEPTH or self._items > MAX_ITEMS or self._characters > MAX_CHARACTERS:
            raise TooLargeError


def encode(value: Any) -> Any:
    """Return `value` as data for JSON, by the methods of its built-in base type, whatever its own class overrides.

    NumPy's arrays and scalars become lists and numbers. Tables, records (dataclasses, enums) and the like become their
    type's name and their content; objects of other types their type's name and the beginning of their text. A
    substitute for such an object is kept whole.
    Raises TooLargeError.
    """
    return Encoder().encode(value)


def _encoding(kind: type) -> Any:
    for base in kind.__mro__:
        if base.__module__ == "numpy" and base.__name__ == "generic":  # some derive from built-in types
            return taking_apart(kind)
    if kind.__module__.partition(".")[0] == "pandas" and (found := taking_apart(kind)) is not None:
        return found
    return next((found for base, found in _ENCODINGS if issubclass(kind, base)), None) or (
        taking_apart(kind) or next((found for base, found in _LIKE if issubclass(kind, base)), None)
    )


def _int(_: Encoder, value: int, __: int) -> Any:
    number = int.__pos__(value)
    return number if -SAFE_INTEGER < number < SAFE_INTEGER else {"int": hex(number)}


def _float(_: Encoder, value: float, __: int) -> Any:
    number = float.__pos__(value)
    return number if math.isfinite(number) else {"float": repr(number)}


def _complex(encoder: Encoder, value: complex, depth: int) -> Any:
    number = complex.__pos__(value)
    return {"complex": encoder.all([number.real, number.imag], depth)}


def _dict(tag: str = "dict") -> Any:
    return lambda encoder, value, depth: {tag: [encoder.all(item, depth) for item in dict.items(value)]}


def _all(tag: str, base: Any) -> Any:
    return lambda encoder, value, depth: {tag: encoder.all(base.__iter__(value), depth)}


def _tagged(tag: str, write: Any) -> Any:
    return lambda _, value, __: {tag: write(value)}


def _kept(encoder: Encoder, value: Opaque, depth: int) -> Any:
    encoder.encode(value.text, depth)
    return {"object": [value.type_name, value.text]}


_ENCODINGS: list[tuple[type, Any]] = [
    (bool, lambda _, value, __: int.__bool__(value)),
    (int, _int),
    (float, _float),
    (complex, _complex),
    (str, lambda _, value, __: str.__str__(value)),
    (bytes, _tagged("bytes", bytes.hex)),
    (bytearray, _tagged("bytearray", bytearray.hex)),
    (memoryview, _tagged("bytes", lambda value: value.tobytes().hex())),
    (list, lambda encoder, value, depth: encoder.all(list.__iter__(value), depth)),
    (tuple, _all("tuple", tuple)),
    (set, _all("set", set)),
    (frozenset, _all("frozenset", frozenset)),
    (deque, _all("deque", deque)),
    (OrderedDict, _dict("OrderedDict")),
    (Counter, _dict("Counter")),
    (dict, _dict()),
    (range, lambda encoder, value, depth: {"range": encoder.all([value.start, value.stop, value.step], depth)}),
    (Decimal, _tagged("Decimal", Decimal.__str__)),
    (Fraction, lambda encoder, value, _: encoder.fraction(value.numerator, value.denominator)),
    (Moment, _tagged("moment", datetime.isoformat)),
    (datetime, _tagged("datetime", datetime.isoformat)),
    (date, _tagged("date", date.isoformat)),
    (time, _tagged("time", time.isoformat)),
    (timedelta, _tagged("timedelta", lambda value: [value.days, value.seconds, value.microseconds])),
    (UUID, _tagged("UUID", lambda value: value.hex)),
    (PurePosixPath, _tagged("path", PurePosixPath.__str__)),
    (Opaque, _kept),
]

# Types that Python considers equal to a built-in collection of the same items.
_LIKE: list[tuple[Any, Any]] = [
    (Mapping, lambda encoder, value, depth: {"dict": [encoder.all(item, depth) for item in value.items()]}),
    (Set, lambda encoder, value, depth: {"set": encoder.all(value, depth)}),
    (UserList, lambda encoder, value, depth: encoder.all(value.data, depth)),
    (UserString, lambda encoder, value, depth: encoder.encode(value.data, depth)),
]
