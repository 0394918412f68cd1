"""Findings looked for in what an analysis printed and displayed. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from numbers import Real
from typing import Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.reward import Part, checked_weight
from pytest_rewardkit.scorers.difference import shown
from pytest_rewardkit.scorers.prose import numbers_in, plain_text
from pytest_rewardkit.scorers.tolerance import Tolerance

MOST_NUMBERS: Final = 500
MOST_WORDS: Final = 5_000
"""In a longer output, whatever is looked for would be found by chance: it holds no answer."""


@dataclass(frozen=True, kw_only=True)
class Insight:
    """Something that an analysis must have found.

    Parameters
    ----------
    text: words to be found, letter case and white space aside, and not as a part of other words or numbers.
    number: a number to be found, however it is written (prose.py).
    rel_tol, abs_tol: how far the number that is found may be from it (tolerance.py).
    name: what to call the insight in reports.
    weight: how much it counts, 0 or more.

    Raises RewardkitUsageError unless there is either a text or a number.
    """

    text: str | None = None
    number: float | None = None
    rel_tol: float | None = None
    abs_tol: float | None = None
    name: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if (self.text is None) == (self.number is None):
            raise RewardkitUsageError("an insight is either a text= or a number=")
        if self.text is not None and not (isinstance(self.text, str) and self.text.strip()):
            raise RewardkitUsageError(f"the text of an insight must have a word in it, not {shown(self.text)}")
        if self.number is not None and not (_is_number(self.number) and self.number == self.number):
            raise RewardkitUsageError(f"the number of an insight must be a number, not {shown(self.number)}")
        Tolerance(self.rel_tol, self.abs_tol)
        try:
            checked_weight(self.weight, f"insight {self.label!r}")
        except ValueError as error:
            raise RewardkitUsageError(str(error)) from None

    @property
    def label(self) -> str:
        if self.name is not None:
            return self.name
        return f"insight {self.text!r}" if self.text is not None else f"insight {shown(self.number)}"


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


FIELDS: Final = tuple(item.name for item in fields(Insight))


def as_insights(insights: Iterable[Insight | str | float | Mapping[str, Any]]) -> tuple[Insight, ...]:
    """Return insights given as `Insight` objects, as texts, as numbers, or as mappings of the fields."""
    if isinstance(insights, str | Mapping | Insight) or not isinstance(insights, Iterable):
        raise RewardkitUsageError(f"insights must be a list, not {type(insights).__name__}")
    return tuple(_as_insight(insight) for insight in insights)


def _as_insight(insight: Insight | str | float | Mapping[str, Any]) -> Insight:
    if isinstance(insight, Insight):
        return insight
    if isinstance(insight, str):
        return Insight(text=insight)
    if isinstance(insight, Mapping):
        for key in insight:
            if key not in FIELDS:
                raise RewardkitUsageError(f"no field {key!r} in an insight{did_you_mean(str(key), FIELDS)}")
        return Insight(**insight)
    return Insight(number=insight)


@dataclass(frozen=True)
class Findings:
    """What an analysis put out, as text."""

    text: str

    @cached_property
    def words(self) -> str:
        return " ".join(plain_text(self.text).casefold().split())

    @cached_property
    def numbers(self) -> list[tuple[float, ...]]:
        """The numbers in it, each in every way in which it can be read; of too many, one more than may be."""
        return list(islice(numbers_in(self.text), MOST_NUMBERS + 1))

    def judge(self, insight: Insight) -> Part:
        """Return the part of the reward that `insight` earns."""
        reason = self._shortcoming(insight)
        return Part(insight.label, 0.0 if reason else 1.0, weight=insight.weight, reason=reason)

    def _shortcoming(self, insight: Insight) -> str:
        if insight.text is not None:
            if self.words.count(" ") >= MOST_WORDS:
                return f"the output has more than {MOST_WORDS:,} words: it answers nothing"
            return "" if _pattern(insight.text).search(self.words) else "it is not in the output"
        if len(self.numbers) > MOST_NUMBERS:
            return f"the output has more than {MOST_NUMBERS:,} numbers: it answers nothing"
        tolerance = Tolerance(insight.rel_tol, insight.abs_tol)
        readings = [number for found in self.numbers for number in found]
        if any(tolerance.allows(number, insight.number) for number in readings):
            return ""
        if not readings:
            return "there is no number in the output"
        nearest = min(readings, key=lambda number: _distance(number, insight.number))
        return f"it is not in the output; the nearest number is {shown(nearest)}"


def _distance(number: float, wanted: Any) -> float:
    try:
        return abs(float(number) - float(wanted))
    except OverflowError:
        return math.inf


def _pattern(text: str) -> re.Pattern[str]:
    """The expression for a text that is not a part of a longer word or number: 5 is neither in 15 nor in 5.2."""
    words = " ".join(plain_text(text).casefold().split())
    before = r"(?<![\w.-])(?<!\d,)" if words[0].isdigit() else r"(?<!\w)" if words[0].isalnum() else ""
    after = r"(?!\w)(?!\.\d)(?!,\d)" if words[-1].isdigit() else r"(?!\w)" if words[-1].isalnum() else ""
    return re.compile(before + re.escape(words) + after)
