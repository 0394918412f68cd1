"""Code in prose without a fence: from the first line that looks like code, as far as it parses. Pure."""

from __future__ import annotations

import re
import textwrap
from typing import Final

from pytest_rewardkit.scorers.response.cutting import without_cut_end
from pytest_rewardkit.scorers.response.extraction import Extraction
from pytest_rewardkit.scorers.response.source import Source, line_of_mistake, read_source, without_words

MAX_PIECES: Final = 20


def python_code(text: str) -> Source | None:
    source = read_source(text)
    return source if source is not None and source.is_code else None


_CODE_STARTS: Final = re.compile(
    r"^[ \t]*(?:(?:async )?def \w+ ?\(|class \w+ ?[(:]|@\w|import \w+|from [\w.]+ import |[a-z_][\w.]*\("
    r"|[\w, ]+ [-+*/]?= |return [\w(\[{'\"-]|(?:if|while|with) .*:$|for \w.* in .*:|try:$)",
    re.MULTILINE,
)

_CODE_ENDS: Final = re.compile(
    r"^(?:</?[A-Za-z]|`{1,2}[ \t]*$|'{3}|\"{3}|-{3,}|={3,}|\*{2,}|\\end\b|#{2,} |\[/|(?:END|End of)\b)", re.MULTILINE
)
"""Matches lines that are not Python, unless they are inside a string."""

_SENTENCE: Final = re.compile(r"[ \t]*(?:[-*•][ \t]+)?[^\W\d_a-z][^\s=]*(?:[ \t]+[^\s=]+){2}")

_INLINE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")

_ATTEMPTS: Final = 8


def in_prose(text: str) -> Extraction:
    start = _CODE_STARTS.search(text)
    if start is None:
        return _inline(text)
    text = text[start.start() :]
    for line in list(_CODE_ENDS.finditer(text))[:_ATTEMPTS]:
        source = python_code(textwrap.dedent(text[: line.start()]))
        if source is not None:
            return Extraction(source.text, "the code in the text, without a fence")
    if (whole := without_cut_end(textwrap.dedent(text))) is not None:
        return Extraction(whole, "the code in the text, without its end, which was cut off")
    paragraphs = re.split(r"(\n[ \t]*\n)", text)
    for end in range(len(paragraphs), max(0, len(paragraphs) - 2 * _ATTEMPTS), -2):
        source = python_code(textwrap.dedent("".join(paragraphs[:end])))
        if source is not None:
            return Extraction(source.text, "the code in the text, without a fence")
    return _before_words(text) or Extraction(text, "what looks like code in the text, without a fence")


def _before_words(text: str) -> Extraction | None:
    """The code before the first line that cannot be Python, if nothing after that line looks like code."""
    lines = textwrap.dedent(text).split("\n")
    for _ in range(_ATTEMPTS):
        place = line_of_mistake("\n".join(lines))
        if not 0 < place < len(lines):
            return None
        source = python_code("\n".join([*lines[:place], ""]))
        if source is not None:
            after = "\n".join(lines[place:])
            how = "the code in the text, without the words after it"
            is_prose = _SENTENCE.match(after) and not _CODE_STARTS.search(after)
            return Extraction(without_words(source), how) if is_prose else None
        lines = lines[:place]
    return None


def _inline(text: str) -> Extraction:
    """The longest code between single backticks."""
    found = [source for code in _INLINE.findall(text)[:MAX_PIECES] if (source := python_code(code)) is not None]
    found = [source for source in found if _does(source)]
    if not found:
        return Extraction("", "no code in the response")
    longest = max(found, key=lambda source: len(source.text))
    return Extraction(f"{longest.text}\n", "the code between backticks")


def _does(source: Source) -> bool:
    """Whether a source is more than a fragment such as `x = 5` or `"text"`: a call, or a definition."""
    return re.search(r"\w\(.*\)|\bdef |=[ ]*lambda\b", source.text) is not None
