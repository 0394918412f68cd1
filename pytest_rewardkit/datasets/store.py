"""The source of rows: a scan meets each row once, and its key reads it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

Fields = Mapping[str, Any]


class Found(NamedTuple):
    """A row met by a scan: the key to read it again by, its place for messages (``rows.jsonl:12``), its fields."""

    key: int
    place: str
    fields: Fields


class Store(Protocol):
    """A container of rows."""

    name: str

    def scan(self) -> Iterator[Found]:
        """Yields each row in order. Raises RewardkitUsageError at one that cannot be read."""
        ...

    def read(self, key: int) -> Fields:
        """Returns the fields of the row that a scan found by this key."""
        ...
