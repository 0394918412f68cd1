"""Selects tests by an expression over their node ids: ``algorithms and not (slow or test_graphs.py)``. Pure.

As with pytest's ``-k``, a word selects the node ids that contain it, in any case, and words combine by ``and``, ``or``,
``not`` and parentheses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(r"\s*(?:(?P<sign>[()])|(?P<word>[^\s()]+))")
_END: Final = "the end"


class Selection:
    """A parsed expression; call it with a node id.

    Raises RewardkitUsageError for an invalid expression, with the column.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = _tokens(text)
        self._selects = self._either()
        if self._next.text is not _END:
            raise self._expected("'and', 'or' or the end")

    def __call__(self, node_id: str) -> bool:
        return self._selects(node_id.lower())

    def __repr__(self) -> str:
        return f"<Selection {self.text!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def _next(self) -> _Token:
        return self._tokens[0]

    def _take(self, text: str) -> bool:
        taken = self._next.text.lower() == text
        if taken:
            del self._tokens[0]
        return taken

    def _either(self) -> Callable[[str], bool]:
        either = [self._both()]
        while self._take("or"):
            either.append(self._both())
        return either[0] if len(either) == 1 else lambda name: any(selects(name) for selects in either)

    def _both(self) -> Callable[[str], bool]:
        both = [self._one()]
        while self._take("and"):
            both.append(self._one())
        return both[0] if len(both) == 1 else lambda name: all(selects(name) for selects in both)

    def _one(self) -> Callable[[str], bool]:
        if self._take("not"):
            denied = self._one()
            return lambda name: not denied(name)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._expected("')'")
            return inner
        word = self._next.text.lower()
        if self._next.text is _END or word in ("and", "or", ")"):
            raise self._expected("a word, 'not' or '('")
        del self._tokens[0]
        return lambda name: word in name

    def _expected(self, what: str) -> RewardkitUsageError:
        found = self._next.text if self._next.text is _END else repr(self._next.text)
        return RewardkitUsageError(f"{self.text!r}: expected {what} at column {self._next.column}, not {found}")


class _Token(NamedTuple):
    text: str
    column: int


def _tokens(text: str) -> list[_Token]:
    found = [
        _Token(match["sign"] or match["word"], match.start(match.lastgroup or 0) + 1) for match in _TOKEN.finditer(text)
    ]
    return [*found, _Token(_END, len(text.rstrip()) + 1)]
