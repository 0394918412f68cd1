"""The fenced blocks of a response, as models write them: unclosed, closed late, quoted, indented, in lists.

By Markdown's own rules, every line that looks like a fence is one. In a block of Python it is one only if no string is
open, since code about Markdown has fences in its strings; and text outside strings that is not Python ends the block.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.response.languages import language_of
from pytest_rewardkit.scorers.response.source import read_source

if TYPE_CHECKING:
    from collections.abc import Sequence

_FENCE: Final = re.compile(r"([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}|~{3,})[ \t]*(.*)$")
_FENCE_AT_END: Final = re.compile(r"[^`]```+[ \t]*$")
_BARE_FENCE: Final = re.compile(r"[ \t>]*(?:`{3,}|~{3,})[ \t]*")
_SHORT_END: Final = re.compile(r"`{1,2}[ \t]*$")
_BEGINS_CODE: Final = re.compile(r"(?:(?:async )?def|class|import|from|for|while|if) \w|print\(|\w+ = ")
_QUOTE: Final = re.compile(r"[ \t]{0,3}>[ \t]?")
_LITERAL: Final = re.compile(r"\"\"\"|'''|#.*|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?")
_ESCAPE_OR_END: Final = {quote: re.compile(rf"\\.|{quote}") for quote in ('"""', "'''")}

MAX_SECOND_THOUGHTS: Final = 8
"""Blocks read past a fence in a string without success; after these, every fence counts, so time stays linear."""


MAX_LONE_ENDS: Final = 4
"""Lines tried as the end of a block that began with the text."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Parameters:
        language: the name on its fence; "" if that is not a language's name.
        text: its content.
        first, last: the lines that it takes, fences included.
        is_closed: whether it has an end.
    """

    language: str
    text: str
    first: int
    last: int
    is_closed: bool = True


def fenced_blocks(text: str) -> list[Block]:
    """Return the blocks of a text, in order."""
    return _Scanner(text.split("\n")).blocks()


class _Scanner:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._second_thoughts = self._lone_ends = 0

    def blocks(self) -> list[Block]:
        found: list[Block] = []
        place = 0
        while place < len(self._lines):
            line = self._lines[place]
            block = None
            if match := _FENCE.match(line):
                block = self._lone_end(place, "", found) or self._block(place, match)
            elif not found and _FENCE_AT_END.search(line) and "`" not in line.rstrip("` \t"):
                block = self._lone_end(place, line.rstrip("` \t"), found)
            if block is not None:
                found.append(block)
                place = block.last
            place += 1
        return found

    def _lone_end(self, place: int, rest: str, found: Sequence[Block]) -> Block | None:
        """The block that ends here and began with the text, if its content is code."""
        if found or place == 0 or self._lone_ends >= MAX_LONE_ENDS:
            return None
        self._lone_ends += 1
        match = _FENCE.match(self._lines[place])
        if match and match[3].strip() and language_of(match[3]):
            return None
        text = "\n".join([*self._lines[:place], rest])
        source = read_source(textwrap.dedent(text))
        return Block("", text, 0, place) if source is not None and source.is_code else None

    def _block(self, place: int, opening: re.Match[str]) -> Block | None:
        prefix, fence, info = opening.groups()
        if fence[0] == "`" and "`" in info:
            return _inline(info, fence, place)
        language = language_of(info)
        begins = _BEGINS_CODE.match(info) is not None  # on the line of the fence
        quoted = ">" in prefix
        end, cut, is_closed = self._end(place + 1, fence, quoted, is_python=language in ("python", ""))
        lines = list(self._lines[place + 1 : end])
        if cut is not None:
            lines.append(cut)
        if quoted:
            lines = [_QUOTE.sub("", line, count=1) for line in lines]
        if begins and read_source("\n".join([info, *lines])) is not None:
            language, lines = "", [info, *lines]
        last = end if is_closed else end - 1
        return Block(language, "\n".join(lines) + "\n", place, last, is_closed)

    def _end(self, start: int, fence: str, quoted: bool, *, is_python: bool) -> tuple[int, str | None, bool]:
        """Where a block ends: the next line, the part of that line inside the block, and whether a fence ends it."""
        first: tuple[int, str | None, bool] | None = None
        open_string, place = "", start
        wary = is_python and self._second_thoughts < MAX_SECOND_THOUGHTS
        for place in range(start, len(self._lines)):
            line = self._lines[place]
            if quoted:
                line = _QUOTE.sub("", line, count=1)
            end = self._ending(line, place, fence, is_python=is_python)
            if end is not None and not open_string:
                if first is None or self._is_code(start, place, end[1]):
                    return end
                break
            if end is not None and first is None:
                if not wary:
                    return end
                first = end
            if is_python:
                open_string = _open_string(line, open_string)
        at_end = not open_string and place == len(self._lines) - 1
        return self._without_end(start, first, may_go_on=at_end)

    def _without_end(
        self, start: int, first: tuple[int, str | None, bool] | None, *, may_go_on: bool
    ) -> tuple[int, str | None, bool]:
        """The end of a block that no fence outside a string closes: the text's end, or the `first` one in a string."""
        last = len(self._lines)
        if first is not None and may_go_on and self._is_code(start, last, None):
            return last, None, False
        if first is not None:
            self._second_thoughts += 1
            return first
        if last > start and _SHORT_END.search(self._lines[-1]):
            return last - 1, _SHORT_END.sub("", self._lines[-1]), True
        other = next((n for n in range(start, last) if _BARE_FENCE.fullmatch(self._lines[n])), last)
        if other < last and self._is_code(start, other, None):  # a shorter one, or one of the other kind
            return other, None, True
        return last, None, False

    def _is_code(self, start: int, end: int, cut: str | None) -> bool:
        text = "\n".join([*self._lines[start:end], cut or ""])
        return read_source(textwrap.dedent(text)) is not None

    @staticmethod
    def _ending(line: str, place: int, fence: str, *, is_python: bool) -> tuple[int, str | None, bool] | None:
        match = _FENCE.match(line)
        if match is not None and match[2][0] == fence[0]:
            if not match[3].strip() and len(match[2]) >= len(fence):
                return place, None, True
            if is_python and "`" not in match[3] and len(match[2]) >= len(fence):
                # Another block, or words after the fence: neither is Python.
                return (place, None, False) if language_of(match[3]) else (place, None, True)
        if is_python and fence[0] == "`" and _FENCE_AT_END.search(line):
            code = line.rstrip("` \t")
            if "`" not in code and "#" not in code:
                return place, code, True
        return None


def _inline(info: str, fence: str, place: int) -> Block | None:
    """A block on one line, such as ```` ```python print(1)``` ````."""
    content = info.rstrip()
    if not content.endswith(fence) or fence in content[: -len(fence)]:
        return None
    word, _, rest = content[: -len(fence)].partition(" ")
    language = language_of(word)
    return Block(language, (rest if language else content[: -len(fence)]) + "\n", place, place)


def _open_string(line: str, quote: str) -> str:
    """The triple quote that is open after a line, given the one open before it."""
    position = 0
    while position < len(line):
        if quote:
            match = _ESCAPE_OR_END[quote].search(line, position)
            if match is None:
                return quote
            if match[0] == quote:
                quote = ""
        else:
            match = _LITERAL.search(line, position)
            if match is None:
                return ""
            if match[0] in _ESCAPE_OR_END:
                quote = match[0]
        position = match.end()
    return quote
