"""Checks our markers: unknown keywords and values out of range are refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.ledger.reduce import parse_reducer
from pytest_rewardkit.reward import Reward

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

GROUP_LIMIT = 100
"""The longest name of a group in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardMarker:
    """The keywords of ``@pytest.mark.reward``.

    Parameters:
        threshold: the reward in [0, 1] from which the test passes; without one, each assert decides on its own.
        weight: how much the test counts in the run's mean, 0 or more.
        group: the name of the test's group.
        must_pass: whether a gate fails if this test does not pass, whatever the mean is.
        attempts: how many times the test runs, each time as a test of its own; None if the marker does not say.
        reduce: how the attempts' rewards become one number in the summary; a reducer of ledger/reduce.py.
    """

    threshold: float | None = None
    weight: float = 1.0
    group: str | None = None
    must_pass: bool = False
    attempts: int | None = None
    reduce: str = "mean"

    def __post_init__(self) -> None:
        if self.threshold is not None and not (_is_number(self.threshold) and 0 <= self.threshold <= 1):
            raise RewardkitUsageError(f"threshold must be a number in [0, 1], not {self.threshold!r}")
        if not (_is_number(self.weight) and math.isfinite(self.weight) and self.weight >= 0):
            raise RewardkitUsageError(f"weight must be a finite number, 0 or more, not {self.weight!r}")
        if self.group is not None and not (isinstance(self.group, str) and 0 < len(self.group) <= GROUP_LIMIT):
            raise RewardkitUsageError(f"group must be a name of 1 to {GROUP_LIMIT} characters, not {self.group!r}")
        if not isinstance(self.must_pass, bool):
            raise RewardkitUsageError(f"must_pass must be True or False, not {self.must_pass!r}")
        attempts = self.attempts
        if attempts is not None and (not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1):
            raise RewardkitUsageError(f"attempts must be a whole number, 1 or more, not {attempts!r}")
        k = parse_reducer(self.reduce).k
        if k is not None and attempts is not None and k > attempts:
            raise RewardkitUsageError(f"reduce={self.reduce!r} takes {k} attempts, and attempts={attempts} are fewer")
        self.check_success(self.threshold)

    def check_attempts(self) -> None:
        """Raise RewardkitUsageError if the reducer needs several attempts and the test, which has no row, runs once."""
        k = parse_reducer(self.reduce).k
        if k is not None and k > 1 and self.attempts is None:
            raise RewardkitUsageError(f"reduce={self.reduce!r} takes {k} attempts; add attempts={k}, or more")

    def check_success(self, threshold: float | None) -> None:
        """Raise RewardkitUsageError if the reducer counts successes and `threshold` makes every attempt one."""
        if threshold is not None and parse_reducer(self.reduce).k is not None and Reward(0.0).reaches(threshold):
            raise RewardkitUsageError(
                f"reduce={self.reduce!r} counts successes, and every reward reaches threshold={threshold:g}; "
                "set one above 0"
            )


REWARD_KEYWORDS = tuple(field.name for field in fields(RewardMarker))


def reward_marker(applied: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> RewardMarker:
    """Return the keywords of the ``reward`` markers around a test as one marker.

    Parameters:
        applied: positional and keyword arguments of each marker, the closest to the test first; the closest wins.

    Raises RewardkitUsageError without the place, which the caller knows.
    """
    return RewardMarker(**merged_keywords(applied, REWARD_KEYWORDS))


def merged_keywords(
    applied: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]], known: Collection[str]
) -> dict[str, Any]:
    """Return the keywords of several markers as one; the first marker that names a keyword wins.

    Raises RewardkitUsageError for positional arguments and for keywords that are not in `known`.
    """
    merged: dict[str, Any] = {}
    for positional, keywords in applied:
        if positional:
            raise RewardkitUsageError(f"takes keywords only, not {positional[0]!r}; known are: {', '.join(known)}")
        for keyword, value in keywords.items():
            if keyword not in known:
                raise RewardkitUsageError(f"unknown keyword {keyword!r}{did_you_mean(keyword, known)}")
            merged.setdefault(keyword, value)
    return merged


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
