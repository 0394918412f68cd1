"""What a reader of a notebook reads of an object that it shows. Pure."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from e2b_code_interpreter import Result

_NAMELESS: Final = re.compile(r"<[\w.]{1,200} object(?: at 0x[0-9a-f]{1,16})?>")
_TAG: Final = re.compile(r"<[^<>]*>")


def text_shown(result: Result) -> str | None:
    """Return an object's text; if that only names its type, its Markdown, the words of its HTML, or its LaTeX."""
    text: str | None = result.text
    if text is None or not _NAMELESS.fullmatch(text):
        return text
    words = words_of(result.html) if result.html else ""
    return str(result.markdown or words or result.latex or text)


def words_of(page: str) -> str:
    """Return a page's text, without its tags, styles and scripts."""
    for name in ("style", "script"):
        page = _without(page, f"<{name}", f"</{name}>")
    return html.unescape(_TAG.sub(" ", page))


def _without(text: str, begins: str, ends: str) -> str:
    first, *others = text.split(begins)
    return "".join([first, *(other.partition(ends)[2] for other in others)])
