"""Reads fields of rows as the types that they should have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.guest.codec_objects import text_of
from pytest_rewardkit.scorers.values.digits import json_of
from pytest_rewardkit.scorers.values.literals import literal_value
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.datasets.row import Row


def text(row: Row, name: str) -> str:
    """Returns a field that must hold a text. Raises RewardkitUsageError."""
    value = row[name]
    if not isinstance(value, str):
        raise wrong(row, name, "a text")
    return value


def optional_text(row: Row, *names: str) -> str | None:
    """Returns the first of the fields that exists and holds a text, or None."""
    return next((row[name] for name in names if isinstance(row.get(name), str)), None)


def texts(row: Row, name: str) -> list[str]:
    """Returns a field that must hold a list of texts, "" or null for none. Raises RewardkitUsageError."""
    value = data(row, name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise wrong(row, name, "a list of texts")
    return value


def data(row: Row, name: str) -> Any:
    """Returns a field whose data may be written in a text: as JSON, twice as JSON, or as Python shows it.

    Raises RewardkitUsageError for another text.
    """
    value = row.get(name)
    if value is None or value == "":
        return []
    try:
        return _written(value)
    except ValueError:
        raise wrong(row, name, "JSON") from None


def _written(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = json_of(value)
    except (ValueError, RecursionError):
        return literal_value(value)
    return _written(found) if isinstance(found, str) else found


def wrong(row: Row, name: str, wanted: str) -> RewardkitUsageError:
    """Returns the error for a field with a wrong value."""
    return RewardkitUsageError(
        f"{row.place}: {name!r} must hold {wanted}, not {one_line(text_of(repr, row.get(name), 1000), 80)}"
    )
