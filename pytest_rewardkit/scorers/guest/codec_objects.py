"""The codec's substitutes for values that are not plain data, and its limits.

Sent into the candidate's interpreter, so it needs only the standard library.
"""

from __future__ import annotations

from datetime import date, datetime

TYPING = False
if TYPING:
    from typing import Any

MAX_ITEMS = 500_000
MAX_DEPTH = 100
MAX_INTEGER_BITS = 340_000
"""Bits, about 100,000 digits: arithmetic with wider numbers, which a matcher may try, takes very long."""

LIBRARIES = ("numpy", "pandas", "polars", "torch")


class TooLargeError(Exception):
    """A value has too many items or characters to be sent out."""


class Opaque:
    """What remains of an object that is not plain data.

    Parameters:
        type_name: the full name of its type.
        text: its `repr`, cut to size.
        fields: its content, for records, tables and the like; None for an object that equals nothing else.
        extras: what else is needed to rebuild it.
    """

    def __init__(
        self, type_name: str, text: str, fields: dict[str, Any] | None = None, extras: dict[str, Any] | None = None
    ) -> None:
        self.type_name = type_name
        self.text = text
        self.fields = fields
        self.extras = extras

    @property
    def name(self) -> str:
        """The name of its type without the module, which differs between a test and a candidate."""
        return self.type_name.rpartition(".")[2]

    @property
    def items(self) -> Any:
        """The items of a column, an index or a tensor; None for anything else."""
        is_ours = self.fields is not None and self.type_name.partition(".")[0] in LIBRARIES
        return self.fields.get("values") if is_ours and self.fields is not None else None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Opaque) or self.fields is None or other.fields is None:
            return False
        return self.name == other.name and self.fields == other.fields

    def __hash__(self) -> int:
        if self.fields is None:
            return object.__hash__(self)
        return hash((self.name, *map(_hash, self.fields.values())))

    def __repr__(self) -> str:
        return self.text


def _hash(value: Any) -> int:
    try:
        return hash(value)
    except TypeError:
        return 0


class Moment(datetime):
    """A NumPy time, which also equals the date at its midnight, as it does in NumPy."""

    def __eq__(self, other: object) -> bool:
        if type(other) is date:
            other = datetime(other.year, other.month, other.day)
        return datetime.__eq__(self, other)

    __hash__ = datetime.__hash__


def text_of(write: Any, value: Any, limit: int) -> str:
    """An object's text, whatever its class does about it."""
    try:
        return str.__str__(write(value))[:limit]
    except Exception as error:
        return f"<no text: {type(error).__name__}>"


def type_name(kind: type) -> str:
    """The full name of a type."""
    return f"{kind.__module__}.{kind.__qualname__}"[:200]
