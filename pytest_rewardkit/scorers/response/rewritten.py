"""Undoes what programs on a response's way did to its characters: pages, terminals, converters of Markdown. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_REREAD: Final = 60_000
"""Characters of a response that is read again; each reading takes as long as the first."""

_COLORS: Final = re.compile(r"\x1b\[[0-9;]{0,20}m")
_QUOTES: Final = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_ESCAPED: Final = re.compile(r"\\([_*`#\[\]<>])")
ENTITIES: Final = frozenset(("lt", "gt", "amp", "quot", "apos", "nbsp"))
_ENTITY: Final = re.compile(rf"&(?:{'|'.join(sorted(ENTITIES))}|#\d{{1,5}}|#[xX][0-9a-fA-F]{{1,5}});")


def original_forms(text: str) -> Iterator[str]:
    """The texts that may have become `text`: without entities, unusual characters, or escapes of Markdown."""
    if len(text) > MAX_REREAD:
        return
    before = {text}
    for form in (text, html.unescape(text) if _ENTITY.search(text) else text):
        plain = with_plain_characters(form)
        for original in (plain, plain.translate(_QUOTES), _ESCAPED.sub(r"\1", plain)):
            if original not in before:
                before.add(original)
                yield original


def with_plain_characters(text: str) -> str:
    """A text with plain spaces and line ends, and without colors and characters that cannot be seen."""
    text = _COLORS.sub("", text)
    return text if text.isascii() and text.isprintable() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character in "\n\t\0":  # no program on the way adds a NUL
        return character
    if character in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029":
        return "\n"
    category = unicodedata.category(character)
    return " " if category == "Zs" else "" if category in ("Cc", "Cf") else character
