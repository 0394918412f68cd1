"""Digests of large values, so that long lists are compared without sending them between sandboxes."""

from __future__ import annotations

import hashlib
import marshal
from array import array
from typing import Any

LARGE = 100_000
"""The size in bytes from which a value is compared by its digest first."""

_MAX_EXACT = 1 << 53
_SCALARS = frozenset([type(None), bool, int, float, str, complex, bytes])
_CONTAINERS = frozenset([list, tuple, set, frozenset])


def digest(value: Any, *, over: int = 0) -> str | None:
    """Returns a digest; None for a value of under `over` bytes, or one that contains types other than built-in ones.

    Values with equal digests are equal. Values that are equal in Python may have different digests if their inner types
    differ, except for lists and tuples of numbers.
    """
    try:
        data = marshal.dumps(value, 2) if _only_builtin(value) else b""
    except (ValueError, RecursionError):
        return None
    if len(data) < max(over, 1):
        return None
    return hashlib.sha256(_numbers(value) or data).hexdigest()


def _only_builtin(value: Any) -> bool:
    pending = [value]
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind is dict:
            pending += [list(value), list(value.values())]
        elif kind in _CONTAINERS:
            if not set(map(type, value)) <= _SCALARS:
                pending += [item for item in value if type(item) not in _SCALARS]
        elif kind not in _SCALARS:
            return False
    return True


def _numbers(value: Any) -> bytes | None:
    """A list or tuple of numbers as bytes in which 1, 1.0 and True are the same, as in Python."""
    kind = type(value)
    if kind not in (list, tuple) or not set(map(type, value)) <= {int, float, bool}:
        return None
    if not all(-_MAX_EXACT < item < _MAX_EXACT for item in value if type(item) is int):
        return None
    return kind.__name__.encode() + array("d", [item + 0.0 for item in value]).tobytes()
