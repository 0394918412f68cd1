"""Makes text from candidates safe to keep and to show: bounded in size, free of control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# The note by which `excerpt` says that something is missing; recognised if a text that was cut is cut again.
_NOTE: Final = "\n[... {:,} characters left out ...]\n"
# What CI services read as commands in a log: GitHub `::name …::` at the beginning of a line and `##[name]` anywhere,
# Azure `##vso[name]`, TeamCity `##teamcity[name]`.
_COMMAND: Final = re.compile(r"(?m)#(?=#\w*\[)|^(?P<indent>[^\S\n]*):(?=:[\w-]+[^\n]*?::)")
_NOTE_PATTERN: Final = re.compile(r"\n\[\.\.\. ([0-9,]{1,20}) characters left out \.\.\.\]\n")


def excerpt(text: str, limit: int) -> str:
    """Return `text` if it has at most `limit` characters, else its head and tail around a note of the omission.

    The result never has more than `limit` characters; limits under 40 cut the end off. An excerpt of an excerpt has one
    note, which counts all omitted characters.
    """
    if len(text) <= limit:
        return text
    before, left_out, after = _around_note(text)
    length = len(before) + len(after) if left_out else len(text)
    note = ""
    while len(longer := _NOTE.format(left_out + length + len(note) - limit)) > len(note):
        note = longer  # leaves room for less
    room = limit - len(note)
    if room < 2:
        return text[: max(limit - 3, 0)] + "..."[:limit]
    head, tail = before[: (room + 1) // 2], after[-(room // 2) :]
    return head + _NOTE.format(left_out + length - len(head) - len(tail)) + tail


def is_excerpt(text: str) -> bool:
    """Whether `text` is an excerpt from which `excerpt` has left something out."""
    return _NOTE_PATTERN.search(text) is not None


def shortened(text: str, *, head: int, tail: int, width: int) -> list[str]:
    """Return the lines of `text`: the first `head` and the last `tail` of them around one note of the omission.

    Each is at most `width` characters long. The note includes what an earlier `excerpt` has left out.
    """
    before, characters, after = _around_note(text.rstrip("\n"))
    lines = before.split("\n")
    if characters:
        first, last = lines, after.split("\n")
    elif len(lines) <= head + tail + 1:
        return [_narrowed(line, width) for line in lines]
    else:
        first, last = lines[: len(lines) - tail], lines[len(lines) - tail :]
    count = max(len(first) - head, 0) + max(len(last) - tail, 0)
    missing = [f"{count:,} lines"] * bool(count) + [f"{characters:,} characters"] * bool(characters)
    return [
        *(_narrowed(line, width) for line in first[:head]),
        f"[... {' and '.join(missing)} left out ...]",
        *(_narrowed(line, width) for line in last[len(last) - min(tail, len(last)) :]),
    ]


def _around_note(text: str) -> tuple[str, int, str]:
    """The text before the note of an earlier excerpt, the number in it, and the text after; 0 if there is none."""
    note = _NOTE_PATTERN.search(text)
    number = int(note[1].replace(",", "") or 0) if note else 0
    return (text[: note.start()], number, text[note.end() :]) if note and number else (text, 0, text)


def _narrowed(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 3]}..."


def printable(text: str, *, keep: str = "") -> str:
    r"""Return `text` with everything that a terminal or a CI service could act on written as an escape.

    That is control characters (``\x1b``), bidirectional overrides (``\u202e``), separators other than a space, lone
    surrogates, and the signs that begin commands in logs. `keep` lists characters to leave alone, such as ``"\n\t"``
    for text shown over several lines.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)
    return _COMMAND.sub(_without_command, text) if "##" in text or "::" in text else text


def one_line(text: str, limit: int) -> str:
    """Return `text` as one printable line of at most `limit` characters, with each run of white space as one space."""
    # Bounded twice: first so that a huge text costs nothing, then because escapes are longer than their characters.
    line = printable(" ".join(text[: 4 * limit].split()))
    if len(line) <= limit and len(text) <= 4 * limit:
        return line
    return line[: max(limit - 3, 0)] + "..."[:limit]


def _without_command(match: re.Match[str]) -> str:
    return r"\x23" if match[0] == "#" else f"{match['indent']}\\x3a"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def cells(text: str) -> int:
    """Return the number of terminal cells that `text` takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows of a table as texts with aligned columns."""
    widths = [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for name, *numbers in rows:
        padded = [name + " " * (widths[0] - cells(name))]
        padded += [" " * (room - cells(cell)) + cell for cell, room in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join(padded).rstrip())
    return lines


def fitted(text: str, width: int, *, ellipsis: str = "...", keep_end: bool = False) -> str:
    """Return `text` cut to at most `width` cells; `ellipsis` replaces its end or its beginning."""
    if cells(text) <= width:
        return text
    room = width - len(ellipsis)
    kept: list[str] = []
    for character in reversed(text) if keep_end else text:
        room -= _cells(character)
        if room < 0:
            break
        kept.append(character)
    return ellipsis + "".join(reversed(kept)) if keep_end else "".join(kept) + ellipsis


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
