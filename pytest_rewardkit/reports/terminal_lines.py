"""Building blocks of terminal lines: segments with pytest's markup, glyphs, colours of rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_rewardkit.text import cells, fitted

if TYPE_CHECKING:
    from collections.abc import Sequence


class Segment(NamedTuple):
    """A piece of a line, and the names of pytest's markup for it."""

    text: str
    markup: tuple[str, ...] = ()


Line = tuple[Segment, ...]


class Glyphs(NamedTuple):
    """Symbols for a terminal, which may support only ASCII."""

    blocks: str
    """The last cell of a bar, from nearly empty to full."""
    empty: str
    ellipsis: str


_UNICODE: Final = Glyphs("▏▎▍▌▋▊▉█", "·", "…")
_ASCII: Final = Glyphs("#", ".", "...")


def glyphs(encoding: str | None) -> Glyphs:
    """Return the best glyphs that `encoding` can write."""
    try:
        "".join((*_UNICODE,)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _UNICODE


def color_of(value: float | None) -> str:
    """Return the colour of a reward."""
    if value is None:
        return "purple"
    if value == 1.0:
        return "green"
    return "yellow" if value > 0 else "red"


def wrapped(title: str, items: Sequence[str], *, width: int, separator: str, packed: bool = False) -> list[Line]:
    """Return `items` after `title`: on one line if they fit, else one per line, or `packed` as many as fit."""
    whole = title + separator.join(items)
    if cells(whole) < width:
        return [line_of(whole)]
    if packed:
        texts = [title + items[0]]
        for item in items[1:]:
            longer = texts[-1] + separator + item
            if cells(longer) < width:
                texts[-1] = longer
            else:
                texts.append(" " * len(title) + item)
        return [line_of(text) for text in texts]
    return [line_of((title if number == 0 else " " * len(title)) + item) for number, item in enumerate(items)]


def cut(text: str, width: int, using: Glyphs) -> str:
    """Return as much of `text` as fits into `width` cells of a terminal."""
    return fitted(text, max(width - 1, 10), ellipsis=using.ellipsis)


def line_of(text: str, *markup: str) -> Line:
    """Return a line of one piece."""
    return (Segment(text, markup),)
