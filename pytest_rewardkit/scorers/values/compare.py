"""Compares what a candidate gave with what was expected, on the host. Pure: no sandbox, no pytest.

A comparison says whether the two are equal (1.0), how near they are if a similarity was asked for (below 1.0), and why.
Equality and nearness are separate on purpose: without a similarity, a wrong answer earns nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.difference import shown, text_difference
from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.guest.codec_encoder import MAX_WRITTEN_BITS
from pytest_rewardkit.scorers.values.digits import whole_number
from pytest_rewardkit.scorers.values.equality import comparable, value_difference
from pytest_rewardkit.scorers.values.literals import json_value, literal_value
from pytest_rewardkit.scorers.values.similarity import NEAREST, SIMILARITIES
from pytest_rewardkit.scorers.values.tolerance import DEFAULT_TOLERANCE, Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TEXT_COMPARISONS: Final = ("exact", "lines", "tokens", "json", "value")
"""Ways to compare two texts, from the strictest; `json` and `value` compare what the texts say, as data."""

DATA_COMPARISONS: Final = ("json", "value")
"""Of these, the ones that compare values as well."""


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """The result of a comparison: 1.0 for equal, else the similarity asked for, and the reason (empty if equal)."""

    value: float
    reason: str = ""

    @property
    def equal(self) -> bool:
        return self.value == 1.0


EQUAL: Final = ComparisonResult(1.0)


def compare_texts(
    actual: str,
    expected: str,
    *,
    compare: str = "lines",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    similarity: str | None = None,
) -> ComparisonResult:
    """Compare two texts.

    Parameters:
        compare: what counts as equal.
            ``exact``: all characters, except line ends at the very end.
            ``lines``: line by line, ignoring white space at line ends and empty lines at the end.
            ``tokens``: line by line and word by word; numbers by value, within `tolerance`.
            ``json``: both are JSON with the same content, numbers within `tolerance`.
            ``value``: both are Python literals (or JSON) of equal value, numbers within `tolerance`.
        similarity: what unequal texts earn: nothing (None), or by ``words`` or ``edit`` (similarity.py), at most 0.99.
    """
    reason = _TEXT_DIFFERENCES[checked_comparison(compare)](actual, expected, tolerance)
    if not reason:
        return EQUAL
    if similarity is None:
        return ComparisonResult(0.0, reason)
    nearness = SIMILARITIES[checked_similarity(similarity)](actual, expected)
    return ComparisonResult(min(nearness, NEAREST), reason)


def compare_values(
    actual: Any, expected: Any, *, compare: str = "value", tolerance: Tolerance = DEFAULT_TOLERANCE
) -> ComparisonResult:
    """Compare two values by Python's equality, deep and in order, floats within `tolerance`.

    `actual` is plain data (codec_decoder.py), `expected` the author's. An expected list also accepts a tuple of equal
    items, since JSON has no tuples; an expected tuple requires a tuple. With `compare="json"`, tuples are lists and
    dictionary keys are texts, as in JSON. Raises RewardkitUsageError for a value that cannot be compared.
    """
    expected = comparable(expected)
    if compare == "json":
        actual, expected = _as_json(actual), _as_json(expected)
    reason = value_difference(actual, expected, tolerance)
    if not reason and compare == "json":
        reason = _truth_difference(actual, expected)
    return ComparisonResult(0.0, reason) if reason else EQUAL


def checked_comparison(name: str) -> str:
    """Return `name` if it is one of TEXT_COMPARISONS. Raises RewardkitUsageError with the nearest."""
    if name not in TEXT_COMPARISONS:
        raise RewardkitUsageError(f"no comparison {name!r}{did_you_mean(str(name), TEXT_COMPARISONS)}")
    return name


def checked_similarity(name: str) -> str:
    """Return `name` if it is one of SIMILARITIES. Raises RewardkitUsageError with the nearest."""
    if name not in SIMILARITIES:
        raise RewardkitUsageError(f"no similarity {name!r}{did_you_mean(str(name), SIMILARITIES)}")
    return name


def _exact_difference(actual: str, expected: str, _: Tolerance) -> str:
    actual, expected = actual.rstrip("\r\n"), expected.rstrip("\r\n")
    return "" if actual == expected else text_difference(actual.split("\n"), expected.split("\n"))


def _lines_difference(actual: str, expected: str, _: Tolerance) -> str:
    actual_lines, expected_lines = _lines(actual), _lines(expected)
    return "" if actual_lines == expected_lines else text_difference(actual_lines, expected_lines)


def _tokens_difference(actual: str, expected: str, tolerance: Tolerance) -> str:
    actual_lines, expected_lines = _lines(actual), _lines(expected)

    def same(line: str, wanted: str) -> bool:
        return line == wanted or _same_words(line.split(), wanted.split(), tolerance)

    if len(actual_lines) == len(expected_lines) and all(map(same, actual_lines, expected_lines)):
        return ""
    return text_difference(actual_lines, expected_lines, same)


def _json_difference(actual: str, expected: str, tolerance: Tolerance) -> str:
    reason = _data_difference(json_value, actual, expected, tolerance)
    return reason or _truth_difference(json_value(actual), json_value(expected))


def _truth_difference(actual: Any, expected: Any) -> str:
    """Where equal data has a number in place of true or false, which only Python takes for the same."""
    if isinstance(expected, bool) != isinstance(actual, bool) and isinstance(actual, bool | int | float):
        return f"expected {shown(expected)}, got {shown(actual)}"
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(expected, dict) and isinstance(actual, dict):
        pairs = ((actual[key], wanted) for key, wanted in expected.items() if key in actual)
    elif isinstance(expected, list) and isinstance(actual, list):
        pairs = zip(actual, expected, strict=False)
    return next(filter(None, (_truth_difference(*pair) for pair in pairs)), "")


def _value_difference(actual: str, expected: str, tolerance: Tolerance) -> str:
    return _data_difference(literal_value, actual, expected, tolerance)


def _data_difference(read: Callable[[str], Any], actual: str, expected: str, tolerance: Tolerance) -> str:
    try:
        wanted = read(expected)
    except ValueError as error:
        raise RewardkitUsageError(f"the expected text {shown(expected)} is {error}") from None
    try:
        given = read(actual)
    except ValueError as error:
        return f"expected {shown(wanted)}, got the text {shown(actual)}, which is {error}"
    return value_difference(given, wanted, tolerance)


_TEXT_DIFFERENCES: Final[dict[str, Callable[[str, str, Tolerance], str]]] = {
    "exact": _exact_difference,
    "lines": _lines_difference,
    "tokens": _tokens_difference,
    "json": _json_difference,
    "value": _value_difference,
}


def _lines(text: str) -> list[str]:
    """The lines of `text` without white space at their ends, and without empty lines at the end."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


# Possessive repeats: no text takes more than linear time. A version such as 1.2.3 is not a number.
_NUMBER: Final = re.compile(r"(?<![\w.])([+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?)(?![\w.])", re.ASCII)


def _same_words(actual: list[str], expected: list[str], tolerance: Tolerance) -> bool:
    return len(actual) == len(expected) and all(
        word == wanted or _same_pieces(_NUMBER.split(word), _NUMBER.split(wanted), tolerance)
        for word, wanted in zip(actual, expected, strict=True)
    )


def _same_pieces(actual: list[str], expected: list[str], tolerance: Tolerance) -> bool:
    """Whether two words are equal, each split into text at even places and numbers at odd places."""
    return (
        len(actual) == len(expected)
        and actual[::2] == expected[::2]
        and all(map(_same_numbers, actual[1::2], expected[1::2], [tolerance] * len(actual)))
    )


def _same_numbers(actual: str, expected: str, tolerance: Tolerance) -> bool:
    try:
        return actual == expected or tolerance.allows(_number(actual), _number(expected))
    except ValueError:  # too many digits
        return False


def _number(text: str) -> int | float:
    return whole_number(text) if text.lstrip("+-").isdigit() else float(text)


def _as_json(value: Any) -> Any:
    """`value` as it would come back from JSON; values that JSON cannot hold stay as they are."""
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {_json_key(key): _as_json(item) for key, item in value.items()}
    return value


def _json_key(key: Any) -> Any:
    if isinstance(key, bool) or key is None:
        return json.dumps(key)
    if isinstance(key, float) or (isinstance(key, int) and key.bit_length() <= MAX_WRITTEN_BITS):
        return repr(key)
    return key
