"""Whether words in a text are affirmed, denied, or contradicted. Knows English only, and words, not meaning.

Pure, and linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import filterfalse, islice
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.checks.prose import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LOOKED_AT: Final = 200
"""Occurrences of the same words that are examined."""

_CLAUSE: Final = 300
"""Characters of a clause that are examined, on each side."""

_NO: Final = r"(?:no|not|never|neither|nor|cannot|hardly|barely|\w+n['\u2019]t)"
_LACK: Final = r"(?:without|lacks?|lacking|absence of)"
_BEFORE: Final = re.compile(rf"(?<![\w-])(?:{_NO}(?: [\w%-]+){{0,4}}|{_LACK}(?: [\w%-]+)?) ?\Z")
_BEHIND: Final = re.compile(
    r"\A(?:(?: [\w-]+){0,2} (?:is|was|are|were|has|have|had|does|did|do|be|been|could|can|will|would) ?"
    r"(?:not|never|no|n['\u2019]t)|n['\u2019]t| ?[:=] ?(?:no|not|none|false|absent|never))(?![\w-])"
)
_WITHIN: Final = re.compile(rf"(?<![\w-])(?:{_NO}|{_LACK})(?![\w-]) ?")
_IDIOMS: Final = re.compile(
    r"(?:there is )?(?:no|without(?: a| any)?) (?:doubt|question|wonder)(?: that)?|not (?:only|just|surprisingly)"
    r"|no\. ?(?=\d)|no less than|no fewer than|no more than|nothing but"
)
_ENDS: Final = re.compile(
    r"[.!?](?= |\Z)|[;,()|/\u2014]| (?:and|but|while|whereas|although|though|however|yet|because|or|versus|vs) "
)
_FILLING: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "by",
        "from",
        "that",
        "this",
        "these",
        "those",
        "it",
        "its",
        "there",
        "we",
        "i",
        "can",
        "could",
        "will",
        "would",
        "as",
        "than",
        "then",
        "so",
        "also",
        "very",
        "our",
        "you",
        "they",
        "which",
        "what",
    ]
)

_OPPOSITES: Final = tuple(
    tuple(f"(?<![\\w-])(?:{words})(?![\\w-])".replace("*", r"\w*") for words in pair.split(" - "))
    for pair in (
        "increas*|ris(?:e|es|ing|en)|rose|gr[oe]w* - decreas*|declin*|drop*|fell|fall*|shr[aiu]nk*",
        "improv* - worsen*|deteriorat*",
        "high|higher|highest - low|lower|lowest",
        "up|upwards? - down|downwards?",
        "most|more - least|less|fewest|fewer",
        "best|better - worst|worse",
        "larger?|largest|bigger|biggest|greater|greatest - small|smaller|smallest",
        "max|maxim* - min|minim*",
        "above|over - below|under",
        "before - after",
        "positiv* - negativ*",
        "strong* - weak*",
        "profit*|gain* - loss|losses|los(?:e|es|t|ing)",
        "fast* - slow*",
        "long|longer|longest - short|shorter|shortest",
        "early|earlier|earliest - late|later|latest",
        "significan* - insignifican*",
        "correlated - uncorrelated",
        "linear* - non-?linear*",
        "normal* - abnormal*|non-?normal*",
        "dependent* - independent*",
        "stable - unstable",
        "accept* - reject*",
        "true - false",
        "yes - no",
        "always - never",
        "same - different",
    )
)


class Claims:
    """The words of a text, without letter case and with one space between them, and its clauses."""

    def __init__(self, text: str) -> None:
        lines = [" ".join(line.split()) for line in plain_text(text).casefold().splitlines()]
        self.words = " ".join(filter(None, lines))
        place, ends = 0, []
        for line in filter(None, lines):
            ends.append(place)
            place += len(line) + 1
        self._line_ends = ends

    @cached_property
    def _ends(self) -> list[int]:
        """Where clauses end or begin, in order."""
        # A comma or a point within a number does not end a clause.
        marks = [match.end() for match in _ENDS.finditer(self.words) if self._is_end(match)]
        return sorted({0, len(self.words), *self._line_ends, *marks})

    def _is_end(self, match: re.Match[str]) -> bool:
        return match[0] not in ",./" or not self.words[match.end() : match.end() + 1].isdigit()

    def shortcoming(self, text: str) -> str:
        """Return why a text does not claim `text`; "" if it does."""
        wanted = " ".join(plain_text(text).casefold().split())
        places = list(self._places(pattern(wanted)))
        if not places:
            return "it is not in the output"
        affirmed = [self._rest(*place) for place in places if not self._is_denied(*place)]
        if not affirmed:
            return "the output denies it"
        denied = [self._rest(*place) for place in places if self._is_denied(*place)]
        if _contradict(affirmed, denied):
            return "the output denies it as well"
        for opposite, pair in _opposites(wanted):
            others = [place for place in self._places(opposite) if not self._is_denied(*place)]
            bare = (
                [frozenset(filterfalse(pair.match, rest)) for rest in rests]
                for rests in (affirmed, [self._rest(*place) for place in others])
            )
            if _contradict(*bare):
                begin, end = others[0]
                return f"the output says {self.words[begin:end][:60]!r} as well"
        return ""

    def _places(self, expression: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        return (match.span() for match in islice(expression.finditer(self.words), MAX_LOOKED_AT))

    def _clause(self, begin: int, end: int) -> tuple[str, str]:
        """The parts of the clause before and after a place."""
        left = self._ends[bisect_right(self._ends, begin) - 1]
        right = self._ends[bisect_left(self._ends, end)]
        before = self.words[max(left, begin - _CLAUSE) : begin]
        if self.words[begin].isdigit():
            before = before.removesuffix("no ").removesuffix("no. ")
        return _IDIOMS.sub("", before), self.words[end : min(right, end + _CLAUSE)]

    def _is_denied(self, begin: int, end: int) -> bool:
        before, behind = self._clause(begin, end)
        return _BEFORE.search(before) is not None or _BEHIND.match(behind) is not None

    def _rest(self, begin: int, end: int) -> frozenset[str]:
        """The words of a clause other than the given words and those that deny."""
        rest = " ".join(self._clause(begin, end))
        return frozenset(re.findall(r"[\w'%-]+", _WITHIN.sub(" ", rest))) - _FILLING


def pattern(words: str) -> re.Pattern[str]:
    """The expression for words that are not part of a longer word or number: 5 is neither in 15 nor in 5.2."""
    before = r"(?<![\w.-])(?<!\d,)" if words[0].isdigit() else r"(?<!\w)" if words[0].isalnum() else ""
    after = r"(?!\w)(?!\.\d)(?!,\d)" if words[-1].isdigit() else r"(?!\w)" if words[-1].isalnum() else ""
    return re.compile(before + re.escape(words) + after)


def _opposites(words: str) -> Iterator[tuple[re.Pattern[str], re.Pattern[str]]]:
    """Expressions for the opposite of some words, each with one for the words that make the difference.

    An opposite has one word reversed, or lacks the words that deny.
    """
    if (bare := _WITHIN.sub("", words).strip()) and bare != words:
        yield pattern(bare), _WITHIN
    for pair in _OPPOSITES:
        for one, other in (pair, pair[::-1]):
            found = re.search(one, words)
            if found is not None:
                turned = re.escape(words[: found.start()]) + other + re.escape(words[found.end() :])
                yield re.compile(turned), re.compile("|".join(pair))


def _contradict(some: list[frozenset[str]], others: list[frozenset[str]]) -> bool:
    """Whether some clause says no more than another one, apart from words that are opposites."""
    sample = others[:20]
    return any(one <= other or other <= one for one in some[:20] for other in sample)
