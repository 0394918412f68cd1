"""The quota of an account, in the form that people write."""

from __future__ import annotations

from typing import Final

QUOTAS: Final = {"hobby": (20, 1.0), "pro": (100, 5.0)}
"""Sandboxes at once and creations per second of E2B's accounts, as of November 2026."""

VARIABLE: Final = "PYTEST_REWARDKIT_QUOTA"
"""The environment variable with the quota."""


def parse_quota(value: str) -> tuple[int, float]:
    """Return sandboxes at once, and creations per second.

    Raises:
        ValueError: `value` is not a quota.
    """
    if value in QUOTAS:
        return QUOTAS[value]
    slots, _, per_second = (part.strip() for part in value.partition(","))
    try:
        count, rate = int(slots), float(per_second)
    except ValueError:
        count, rate = 0, 0.0
    if slots.isascii() and slots.isdecimal() and count > 0 and 0 < rate < float("inf"):
        return count, rate
    raise ValueError(
        f"must be {', '.join(QUOTAS)}, or sandboxes at once and creations a second, as 20,1, not {value!r}"
    )
