"""Turns a candidate's values into plain JSON values. Pure, and bounded in depth and size."""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import math
import uuid
from typing import Any, Final

from pytest_rewardkit.local.errors import NotPlainError

MAX_DEPTH: Final = 100
MAX_VALUES: Final = 1_000_000


def plain(value: Any) -> Any:
    """Return `value` made only of None, bool, int, float, str, list and dict.

    Numbers that JSON lacks (NaN, infinity) become None, and keys become texts. numpy's scalars and arrays, dates,
    times, UUIDs, decimals and enums become their usual written form.

    Raises:
        NotPlainError: a value in it has no such form, or it is nested too deeply or too large.
    """
    return _Converter().convert(value, MAX_DEPTH)


class _Converter:
    def __init__(self) -> None:
        self._left = MAX_VALUES

    def convert(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth < 0:
            raise NotPlainError("nested too deeply or too large")
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else None
        if isinstance(value, dict):
            return {_key(key): self.convert(item, depth - 1) for key, item in dict.items(value)}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.convert(item, depth - 1) for item in value]
        return self.convert(_unwrap(value), depth - 1)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        return str(key)
    return str(_unwrap(key))


def _unwrap(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (datetime.timedelta, decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    # numpy's scalars and arrays, and types that imitate them; numpy may not be installed.
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise NotPlainError(f"{type(value).__name__} has no JSON form")
