"""The codec's other half: decodes data that came out of a sandbox, or refuses it.

Also sent into the candidate's interpreter, for data that goes in, so it needs only the standard library.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

from pytest_rewardkit.scorers.guest.codec_libraries import built, built_array
from pytest_rewardkit.scorers.guest.codec_objects import (
    MAX_DEPTH,
    MAX_INTEGER_BITS,
    Moment,
    Opaque,
)

TYPING = False
if TYPING:
    from typing import Any


def decode(data: Any, *, rebuild: bool = False, kept: Any = None) -> Any:
    """Return the value that `encode` made `data` from. Raises ValueError for data that it cannot have made.

    Parameters:
        rebuild: whether arrays and tables are rebuilt by their libraries, instead of lists and `Opaque` objects.
        kept: returns what an `Encoder` with a `foreign` kept, given what `foreign` returned.
    """
    try:
        return _Decoder(rebuild, kept).decode(data, 0)
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"malformed value: {type(error).__name__}: {error}") from None


class _Decoder:
    def __init__(self, rebuild: bool, kept: Any) -> None:
        self._rebuild = rebuild
        self._kept = kept

    def decode(self, data: Any, depth: int) -> Any:
        if depth > MAX_DEPTH + 2:
            raise ValueError("nested too deep")
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        if isinstance(data, list):
            return self._all(data, depth)
        if not isinstance(data, dict) or len(data) != 1:
            raise ValueError("not one tag")
        [(tag, content)] = data.items()
        return self._tagged(tag, content, depth)

    def _tagged(self, tag: str, content: Any, depth: int) -> Any:
        if tag in _SCALARS:
            return _SCALARS[tag](content)
        if tag == "kept" and self._kept is not None:
            return self._kept(content)
        if tag == "object":
            return self._object(content, depth)
        if tag == "array":
            items, dtype = self.decode(content[0], depth + 1), str(content[1])
            return built_array(items, dtype) if self._rebuild else items
        items = self._all(content, depth)
        if tag in _DICTIONARIES:
            _refuse_collisions([key for key, _ in items])
            return _DICTIONARIES[tag](dict(items))
        if tag in ("set", "frozenset"):
            _refuse_collisions(items)
        return _COLLECTIONS[tag](items)

    def _all(self, content: Any, depth: int) -> list[Any]:
        return [self.decode(item, depth + 1) for item in content]

    def _object(self, content: Any, depth: int) -> Any:
        name, text, *parts = content
        if len(parts) > 2:
            raise ValueError("too many parts")
        fields = [{str(key): self.decode(item, depth + 1) for key, item in part.items()} for part in parts]
        value = Opaque(str(name), str(text), *fields)
        return built(value) if self._rebuild and len(fields) == 2 else value


_DICTIONARIES: dict[str, Any] = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}

_COLLECTIONS: dict[str, Any] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
    "complex": lambda items: complex(*items),
    "range": lambda items: range(*items),
}

_SCALARS: dict[str, Any] = {
    "int": lambda content: int(_short(content, MAX_INTEGER_BITS // 4 + 3), 16),
    "float": float,
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "Decimal": lambda content: _quiet(Decimal(_short(content))),
    "Fraction": lambda content: Fraction(*(int(_short(part), 16) for part in content)),
    "moment": Moment.fromisoformat,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda content: timedelta(*content),
    "UUID": lambda content: UUID(content),
    "path": lambda content: Path(_text(content)),
}


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise TypeError("not a text")
    return content


def _quiet(number: Decimal) -> Decimal:
    """The number; a NaN that raises in comparisons becomes one that does not."""
    return Decimal("NaN") if number.is_snan() else number


def _short(digits: str, limit: int = 10_000) -> str:
    """`digits`, unless there are so many that arithmetic with them would take long."""
    if len(digits) > limit:
        raise ValueError("too many digits")
    return digits


def _refuse_collisions(keys: list[Any]) -> None:
    """Raise ValueError for keys that all hash alike: a dictionary of them takes quadratic time."""
    if len(keys) > 1000 and len({hash(key) for key in keys}) < len(keys) // 8:
        raise ValueError("keys that collide")
