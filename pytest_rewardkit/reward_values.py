"""The valid numbers and texts of rewards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from typing import SupportsFloat


def checked_text(text: str, what: str) -> str:
    """Return `text`. Raises RewardkitUsageError if it is not a text, and says `what` it is."""
    if not isinstance(text, str):
        raise RewardkitUsageError(f"{what} must be text, not {one_line(repr(text), 60)}")
    return text


def checked_weight(weight: float, place: str = "") -> float:
    """Return `weight` as a float. Raises RewardkitUsageError, naming `place`, unless it is finite and 0 or more."""
    place = f"{place}: " if place else ""
    number = number_of(weight)
    if not (math.isfinite(number) and number >= 0):
        raise RewardkitUsageError(f"{place}weight must be a finite number, 0 or more, not {weight!r}")
    return number


def checked_value(value: SupportsFloat | None, place: str) -> float | None:
    """Return `value` as a float; None stays. Raises RewardkitUsageError, naming `place`, unless it is in [0, 1]."""
    if value is None:
        return None
    number = number_of(value)
    if not 0 <= number <= 1:
        raise RewardkitUsageError(f"{place}: value must be a number in [0, 1], or None for unscored, not {value!r}")
    return number + 0.0  # -0.0 would print as -0.0


def number_of(value: SupportsFloat) -> float:
    """Return `value` as a float; NaN if `value` is not a number."""
    # Most values are floats, and asking typing's protocol takes longer than everything else here.
    if type(value) is float:
        return value
    return float(value) if hasattr(type(value), "__float__") else math.nan
