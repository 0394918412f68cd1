"""How near a wrong text is to the right one: optional partial credit, by name.

Both measures are two-sided: missing and extra content count alike. Both are monotone: a text further from the right one
never earns more. Both take bounded time, whatever a candidate prints.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.values.edit_distance import edit_distance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NEAREST: Final = 0.99
"""Most that an unequal text can earn: the right words in a wrong order are similar, but not right."""

EDIT_LIMIT: Final = 50_000
"""Units (characters, else lines) for an edit distance; this many take at most one and a half seconds."""


def words(actual: str, expected: str) -> float:
    """Return the share of common words, in [0, 1]: the number of words in both, divided by that of the longer text.

    This is the smaller of precision and recall, so a part of the right words earns little, and so do the right words
    among thousands of others. Order does not matter; letter case does.
    """
    given, wanted = Counter(actual.split()), Counter(expected.split())
    longer = max(given.total(), wanted.total())
    return (given & wanted).total() / longer if longer else 1.0


def edit(actual: str, expected: str) -> float:
    """Return 1 - 2d/n in [0, 1] (0 if that is negative), with d the edit distance and n the longer length.

    d counts the characters to insert, delete or replace (Levenshtein 1966). It is doubled because unrelated texts have
    up to half of their characters in common: a text that is half wrong earns nothing. Expected texts over 50,000
    characters are compared by lines, and earn nothing over 50,000 lines. White space at the end does not count.
    """
    actual, expected = actual.rstrip(), expected.rstrip()
    if len(expected) <= EDIT_LIMIT:
        return _nearness(actual, expected)
    return _nearness(actual.split("\n"), expected.split("\n"))


SIMILARITIES: Final[dict[str, Callable[[str, str], float]]] = {"words": words, "edit": edit}


def _nearness(actual: Sequence[str], expected: Sequence[str]) -> float:
    shorter, longer = sorted((len(actual), len(expected)))
    if not longer:
        return 1.0
    # The lengths alone make half of it wrong; this also bounds the longer text by twice the expected one.
    if 2 * shorter <= longer or len(expected) > EDIT_LIMIT:
        return 0.0
    distance = edit_distance(actual, expected, most=longer // 2)
    return max(0.0, 1.0 - 2.0 * distance / longer)
