"""Whole numbers of any length as text, and back; Python itself refuses more than 4,300 digits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

MAX_DIGITS: Final = 100_000
"""A longer conversion takes so much time that it would pay a candidate to cause it."""

_AT_ONCE: Final = 4_000


def whole_number(text: str) -> int:
    """Return the number that `text` spells in decimal digits, maybe with a sign. Raises ValueError."""
    digits = text.strip()
    bare = digits.lstrip("+-")
    if not (bare.isascii() and bare.isdigit()) or len(bare) < len(digits) - 1 or len(bare) > MAX_DIGITS:
        raise ValueError("no whole number, or one of too many digits")
    return -_parsed(bare) if digits.startswith("-") else _parsed(bare)


def _parsed(digits: str) -> int:
    if len(digits) <= _AT_ONCE:
        return int(digits)
    half = len(digits) // 2
    scale: int = 10**half
    return _parsed(digits[:-half]) * scale + _parsed(digits[-half:])


def written(value: Any) -> str:
    """Return `str(value)`, without the digit limit for a whole number. Raises ValueError for one inside a container."""
    if type(value) is int and value.bit_length() > 10_000:
        if value.bit_length() > 3.4 * MAX_DIGITS:
            raise ValueError("a whole number of too many digits")
        return format(Decimal(value), "f")
    return str(value)


def json_of(text: str | bytes) -> Any:
    """Return the content of `text` as JSON. Raises ValueError, and RecursionError for deep nesting."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:  # a number with more digits than Python accepts; checking each number first would take longer
        return json.loads(text, parse_int=whole_number)
