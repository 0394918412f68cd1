"""Text that came from candidates, made safe to keep and to show: bounded in size, free of control characters."""

from __future__ import annotations

import unicodedata


def excerpt(text: str, limit: int) -> str:
    """Return `text` if it has at most `limit` characters, else its head and tail around a note of what is left out.

    The result never has more than `limit` characters; limits under 40 cut the end off.
    """
    if len(text) <= limit:
        return text
    note = f"\n[... {len(text) - limit:,} characters left out ...]\n"
    room = limit - len(note)
    if room < 2:
        return text[: max(limit - 3, 0)] + "..."[:limit]
    head = (room + 1) // 2
    return text[:head] + note + text[len(text) - (room - head) :]


def printable(text: str, *, keep: str = "") -> str:
    r"""Return `text` with everything that a terminal could act on written as an escape (``\x1b``, ``\u202e``).

    That is control characters, bidirectional overrides, separators other than a space, and lone surrogates.
    `keep` lists characters to leave alone, such as ``"\n\t"`` for text shown over several lines.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


def one_line(text: str, limit: int) -> str:
    """Return `text` as one printable line of at most `limit` characters, runs of white space being one space each."""
    # Bounded twice: first so that a huge text costs nothing, then because escapes are longer than what they stand for.
    line = printable(" ".join(text[: 4 * limit].split()))
    if len(line) <= limit and len(text) <= 4 * limit:
        return line
    return line[: max(limit - 3, 0)] + "..."[:limit]


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def cells(text: str) -> int:
    """Return how many cells of a terminal `text` takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def fitted(text: str, width: int, *, ellipsis: str = "...", keep_end: bool = False) -> str:
    """Return `text` cut to at most `width` cells, its end or its beginning replaced by `ellipsis`."""
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
