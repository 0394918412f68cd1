"""Finds insights in what an analysis printed and displayed. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import islice
from numbers import Real
from typing import Any, Final

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reward import Part
from pytest_rewardkit.reward_values import checked_weight
from pytest_rewardkit.scorers.checks.claims import Claims
from pytest_rewardkit.scorers.checks.mappings import of_mapping
from pytest_rewardkit.scorers.checks.prose import numbers_in
from pytest_rewardkit.scorers.values.tolerance import Tolerance

MAX_NUMBERS: Final = 500
MAX_WORDS: Final = 500
"""Different words; an output with more holds no answer: anything would be found in it by chance."""

MAX_GUESSES: Final = 30
"""Different numbers in an output among which a number of up to three digits may be found."""

MAX_ALIKE: Final = 12
"""Lines that may differ only in numbers and still say something."""

_DIGITS: Final = 1_000
"""A number of this many times its last place has more digits than anyone guesses."""

_GUESSABLE: Final = 1e15
_AROUND: Final = 10
_MAX_AROUND: Final = 15
"""How many of the 20 numbers around one may also be in the output; more of them mean that it counts through."""

_WORD: Final = re.compile(r"[^\W\d_]\w+")
_TOKEN: Final = re.compile(r"\w\w+")
_FIGURE: Final = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, kw_only=True)
class Insight:
    """Something that an analysis must have found.

    The output must affirm a text: it may not deny it, say the opposite of the same thing (*increase* and *decrease*),
    or have more than 500 different words. A number of up to three digits, or with a wide tolerance, must be
    in lines with words, or be the whole output, with at most 30 others like it that do not list its neighbours. A
    longer number may have at most 500 others.

    It can be gamed, because it checks words and numbers, not meaning. An output may name every region before it names
    the best, state a few likely numbers, and deny in ways that no list of words knows. Ask for what is hard to guess: a
    number of four digits and more rather than a word, words together with their subject, several insights rather than
    one. A candidate can guess an insight with few alternatives.

    Parameters:
        text: words to find, in any letter case and with any white space, but not inside other words or numbers.
            Denials and opposites are recognised in English only (claims.py).
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
        checked_weight(self.weight, f"insight {self.label!r}")

    @property
    def label(self) -> str:
        if self.name is not None:
            return self.name
        return f"insight {self.text!r}" if self.text is not None else f"insight {shown(self.number)}"


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


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
        return of_mapping(Insight, insight, "an insight")
    return Insight(number=insight)


@dataclass(frozen=True)
class InsightFindings:
    """The text that an analysis put out."""

    text: str

    @cached_property
    def statements(self) -> str:
        """The lines that say numbers about something in words, except lines repeated with other numbers."""
        lines = [line for line in self.text.splitlines() if _is_statement(line)]
        alike = Counter(_FIGURE.sub("#", line) for line in lines)
        return "\n".join(line for line in lines if alike[_FIGURE.sub("#", line)] <= MAX_ALIKE)

    @cached_property
    def numbers(self) -> list[tuple[float, ...]]:
        """The numbers in it, each in all its readings; if there are too many, one more than the maximum."""
        return _numbers(self.text)

    @cached_property
    def stated_numbers(self) -> list[tuple[float, ...]]:
        return _numbers(self.statements)

    @cached_property
    def claims(self) -> Claims | None:
        """What it says: all of it or, if that is much, the statements; None if these are too many as well."""
        if _has_few_words(self.text):
            return Claims(self.text)
        return Claims(self.statements) if _has_few_words(self.statements) else None

    def judge(self, insight: Insight) -> Part:
        """Return the part of the reward that `insight` earns."""
        reason = self._shortcoming(insight)
        return Part(insight.label, 0.0 if reason else 1.0, weight=insight.weight, reason=reason)

    def _shortcoming(self, insight: Insight) -> str:
        if insight.text is not None:
            if self.claims is None:
                return f"the output has more than {MAX_WORDS:,} different words: it answers nothing"
            reason = self.claims.shortcoming(insight.text)
            if reason or not _FIGURE.fullmatch(insight.text.strip()):
                return reason
            return self._number_shortcoming(Insight(number=next(numbers_in(insight.text), (0,))[0]))
        return self._number_shortcoming(insight)

    def _number_shortcoming(self, insight: Insight) -> str:
        tolerance = Tolerance(insight.rel_tol, insight.abs_tol)
        reason = ""
        for numbers in (self.stated_numbers, self.numbers):
            readings = [number for found in numbers for number in found]
            if len(numbers) > MAX_NUMBERS:
                reason = f"the output has more than {MAX_NUMBERS:,} numbers: it answers nothing"
            elif any(tolerance.allows(number, insight.number) for number in readings):
                reason = _guessed(insight, [found[0] for found in numbers])
                if not reason:
                    return ""
        if reason:
            return reason
        if not readings:
            return "there is no number in the output"
        nearest = min(readings, key=lambda number: _distance(number, insight.number))
        return f"it is not in the output; the nearest number is {shown(nearest)}"


def _has_few_words(text: str) -> bool:
    return len(set(_TOKEN.findall(text.casefold()))) <= MAX_WORDS


def _is_statement(line: str) -> bool:
    words, figures = len(_WORD.findall(line)), len(_FIGURE.findall(line))
    return (words > 2 and words >= figures) or ((":" in line or "=" in line) and figures <= max(words, 2))


def _numbers(text: str) -> list[tuple[float, ...]]:
    return list(islice(numbers_in(text), MAX_NUMBERS + 1))


def _guessed(insight: Insight, numbers: Iterable[float]) -> str:
    """Return why a number may be in an output by mere chance; "" if there is no such reason.

    Parameters:
        numbers: those in the output.
    """
    if abs(insight.number or 0) > _GUESSABLE:
        return ""
    wanted = float(insight.number or 0.0)
    step = max(_place(wanted), (insight.rel_tol or 0.0) * abs(wanted), insight.abs_tol or 0.0)
    exact = step == _place(wanted)
    # Numbers that may be meant as guesses at it: those with no more decimal places.
    steps = [number / step for number in numbers if abs(number) < _GUESSABLE]
    alike = {round(number) for number in steps if not exact or abs(number - round(number)) < 1e-6}
    around = sum(0 < abs(number - wanted / step) <= _AROUND for number in alike)
    if around > _MAX_AROUND:
        return f"the output counts through the numbers around it, and has {around} of them: it answers nothing"
    guesses = [number for number in alike if abs(number) < _DIGITS]
    if abs(wanted) < _DIGITS * step and len(guesses) > MAX_GUESSES:
        return f"the output has {len(guesses)} numbers like it, of which {MAX_GUESSES} may be: it answers nothing"
    return ""


def _place(number: float) -> float:
    """The value of a number's last written decimal place; 1 for a whole number."""
    if number == int(number):
        return 1.0
    exponent = Decimal(repr(number)).as_tuple().exponent
    return float(10.0 ** min(int(exponent), 0))


def _distance(number: float, wanted: Any) -> float:
    try:
        return abs(float(number) - float(wanted))
    except OverflowError:
        return math.inf
