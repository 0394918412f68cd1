"""Judges the answer to a case. Pure: the sandbox has done its part, and the expected value was never in it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.difference import shown
from pytest_rewardkit.reward import TEXT_LIMIT, Part, Verdict
from pytest_rewardkit.scorers.checks.case import NOT_GIVEN, Case
from pytest_rewardkit.scorers.running.protocol import built_in_exception
from pytest_rewardkit.scorers.values.compare import (
    DATA_COMPARISONS,
    EQUAL,
    ComparisonResult,
    checked_comparison,
    checked_similarity,
    compare_texts,
    compare_values,
)
from pytest_rewardkit.scorers.values.digits import written
from pytest_rewardkit.scorers.values.literals import literal_value
from pytest_rewardkit.scorers.values.texts import text_of_value
from pytest_rewardkit.scorers.values.tolerance import DEFAULT_TOLERANCE, Tolerance
from pytest_rewardkit.text import excerpt, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_rewardkit.scorers.running.evaluation import Answer
    from pytest_rewardkit.scorers.running.protocol import Raised

DEFAULT_TEXT_COMPARISON: Final = "lines"


@dataclass(frozen=True, slots=True)
class Matching:
    """How answers are compared if a case does not say otherwise; names and meanings as in compare.py."""

    compare: str | None = None
    tolerance: Tolerance = DEFAULT_TOLERANCE
    similarity: str | None = None

    def __post_init__(self) -> None:
        if self.compare is not None:
            checked_comparison(self.compare)
        if self.similarity is not None:
            checked_similarity(self.similarity)

    def texts(self, actual: Iterable[str], expected: str, compare: str | None = None) -> ComparisonResult:
        """Compare `expected` with the best of several forms of the same text."""
        how = compare or self.compare or DEFAULT_TEXT_COMPARISON
        best: ComparisonResult | None = None
        for text in actual:
            found = compare_texts(text, expected, compare=how, tolerance=self.tolerance, similarity=self.similarity)
            if found.equal:
                return found
            if best is None or found.value > best.value:
                best = found
        return best if best is not None else ComparisonResult(0.0, "nothing came out")

    def values(self, actual: Any, expected: Any, compare: str | None = None) -> ComparisonResult:
        """Compare two values; two texts earn by their similarity, if one was asked for."""
        how = compare or self.compare
        how = how if how in DATA_COMPARISONS else "value"
        found = compare_values(actual, expected, compare=how, tolerance=self.tolerance)
        if not found.equal and self.similarity and type(actual) is str and isinstance(expected, str):
            return compare_texts(actual, expected, compare="exact", similarity=self.similarity)
        return found

    def printed(self, text: str, expected: Any, compare: str | None = None) -> ComparisonResult:
        """Compare printed text with a value: the text may spell an equal one, or be what Python shows of it."""
        try:
            actual = literal_value(text)
        except ValueError:
            if any(compare_texts(text, form).equal for form in _shown_in_full(expected)):
                return EQUAL
            return ComparisonResult(0.0, f"expected the value {shown(expected)}, got the text {shown(text)}")
        return self.values(actual, expected, compare)


def _shown_in_full(value: Any) -> list[str]:
    """What `print` and Python show of a value; nothing if they leave parts out."""
    try:
        forms = [str(value), repr(value)]
    except ValueError:  # too many digits
        return []
    return [form for form in forms if "..." not in form]


def judge(case: Case, answer: Answer, matching: Matching) -> Part:
    """Return the part of the reward that `case` earns."""
    comparison, verdict = _judged(case, answer, matching)
    return part_of(
        case.label,
        comparison,
        answer,
        weight=case.weight,
        verdict=verdict,
        expected=_expectation(case),
        actual=_actual(case, answer),
    )


def part_of(
    name: str,
    comparison: ComparisonResult,
    answer: Answer,
    *,
    expected: str,
    actual: str | None,
    weight: float = 1.0,
    verdict: Verdict | None = None,
) -> Part:
    """Return a part with what a reader needs to see why it failed; a part that passed needs nothing."""
    if comparison.equal:
        return Part(name, 1.0, weight=weight, duration=answer.duration)
    return Part(
        name,
        comparison.value,
        weight=weight,
        verdict=verdict or (Verdict.PARTIAL if comparison.value else Verdict.WRONG_OUTPUT),
        reason=readable(comparison.reason),
        expected=expected,
        actual=actual,
        stderr=readable(answer.stderr[-TEXT_LIMIT:]) or None,
        duration=answer.duration,
    )


def readable(text: str) -> str:
    """Return text from a sandbox cut to size, with terminal control characters escaped."""
    return printable(excerpt(text, TEXT_LIMIT), keep="\n\t")


def _judged(case: Case, answer: Answer, matching: Matching) -> tuple[ComparisonResult, Verdict | None]:
    """The result of a case, and the verdict if the value alone does not imply it."""
    if case.raises is not None and answer.raised is not None:
        return _exception_judged(case, answer.raised)
    if answer.verdict is not None:
        return ComparisonResult(0.0, answer.reason), answer.verdict
    if case.raises is not None:
        return ComparisonResult(0.0, f"expected {_expectation(case)}, nothing was raised"), None
    if case.checker is not None:
        return _checked(case, _outcome(case, answer)), None
    return _compared(case, answer, matching), None


def _outcome(case: Case, answer: Answer) -> Any:
    """The value of a case, or its printed text if it has no value and printed something."""
    return answer.stdout if _is_printed(case, answer) else answer.value


def _is_printed(case: Case, answer: Answer) -> bool:
    """Whether the printed text counts, because there is no value."""
    if answer.text is not None:
        return False
    return answer.value is NOT_GIVEN or (case.call is None and answer.value is None and bool(answer.stdout))


def _compared(case: Case, answer: Answer, matching: Matching) -> ComparisonResult:
    is_printed = _is_printed(case, answer)
    if case.is_about_text:
        expected = written(case.expected)
        return matching.texts([answer.stdout] if is_printed else answer.texts(expected), expected, case.compare)
    if is_printed:
        return matching.printed(answer.stdout, case.expected, case.compare)
    return matching.values(answer.value, case.expected, case.compare)


def _checked(case: Case, outcome: Any) -> ComparisonResult:
    assert case.checker is not None
    try:
        value = case.checker(outcome)
    except Exception as error:  # whatever the checker fails on came from the candidate
        return ComparisonResult(0.0, one_line(f"the checker raised {type(error).__name__}: {error}", 300))
    try:
        credit = float(value)
    except Exception:
        credit = math.nan
    if not 0 <= credit <= 1:
        reason = f"the checker must return true or false, or a number in [0, 1], not {shown(value)}"
        return ComparisonResult(0.0, f"{reason}, for {shown(outcome)}")
    return EQUAL if credit == 1 else ComparisonResult(credit, f"the checker gives {credit:g} for {shown(outcome)}")


def _exception_judged(case: Case, raised: Raised) -> tuple[ComparisonResult, Verdict | None]:
    if not any(_names(case.raises, name) for name in raised.types):
        return ComparisonResult(0.0, f"expected {_expectation(case)}, got {raised}"), Verdict.RUNTIME_ERROR
    if case.match is not None and not re.search(case.match, raised.message):
        return ComparisonResult(0.0, f"the message does not match {case.match!r}: {shown(raised.message)}"), None
    return EQUAL, None


def _names(raises: type[BaseException] | str | None, type_name: str) -> bool:
    """Whether an exception's full name, such as ``builtins.ValueError``, is the expected one, or ends in it."""
    if isinstance(raises, type):
        return type_name == f"{raises.__module__}.{raises.__qualname__}"
    # The name of a built-in exception means the built-in one, even if a candidate's class has the same name.
    wanted = built_in_exception(str(raises))
    return type_name == wanted or (wanted == raises and type_name.endswith(f".{raises}"))


def _expectation(case: Case) -> str:
    if case.raises is not None:
        name = case.raises if isinstance(case.raises, str) else case.raises.__qualname__
        return name if case.match is None else f"{name} matching {case.match!r}"
    if case.expected is NOT_GIVEN:
        return f"accepted by {getattr(case.checker, '__name__', 'the checker')}"
    return readable(written(case.expected)) if case.is_about_text else shown(case.expected, TEXT_LIMIT)


def _actual(case: Case, answer: Answer) -> str | None:
    if answer.raised is not None:
        return readable(str(answer.raised))
    if answer.verdict is not None:
        return readable(answer.stdout) or None
    if _is_printed(case, answer):
        return readable(answer.stdout)
    if case.is_about_text:
        return readable(answer.text if answer.text is not None else text_of_value(answer.value))
    return shown(answer.value, TEXT_LIMIT)
