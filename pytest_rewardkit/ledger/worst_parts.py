"""Finds the parts that cost a reward most. Pure."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.reward import Part


def worst(parts: Sequence[Part], limit: int) -> list[Part]:
    """Return at most `limit` parts, in their order; if not all fit, those with the lowest values."""
    indices = sorted(range(len(parts)), key=lambda index: _value(parts[index]))[:limit]
    return [parts[index] for index in sorted(indices)]


def costliest(parts: Sequence[Part]) -> str:
    """Return the name and the reason of the lowest part that has a reason; "" if all are worth 1."""
    found = [(_value(part), f"{part.name}: {part.reason}") for part in parts if part.reason and part.value != 1]
    return min(found, key=itemgetter(0), default=(1.0, ""))[1]


def _value(part: Part) -> float:
    return -1.0 if part.value is None else part.value
