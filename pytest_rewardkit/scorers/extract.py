"""The candidate out of a model's response: fenced code in Markdown, or bare code. Pure; never raises for any text."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.source import Source, read_source

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

RESPONSE_LIMIT: Final = 250_000
"""Characters of a response that is looked through; this keeps the worst Markdown under two seconds."""

POLICIES: Final = ("auto", "first", "last", "all")

_ALIASES: Final = {
    "python": {"python", "py", "python3", "py3", "python2", "ipython", "ipython3", "pycon", "jupyter", "python-repl"},
    "javascript": {"javascript", "js", "node", "mjs"},
    "typescript": {"typescript", "ts"},
    "bash": {"bash", "sh", "shell", "zsh", "console", "shell-session"},
    "cpp": {"cpp", "c++", "cc", "cxx"},
    "r": {"r", "rlang"},
}


@dataclass(frozen=True, slots=True)
class Extraction:
    """The code taken from a response ("" when it has none), and how it was chosen, for the reward's reason."""

    code: str
    how: str


@dataclass(frozen=True, slots=True)
class _Block:
    language: str
    text: str


def extract_code(
    response: str, *, language: str = "python", policy: str = "auto", defines: Collection[str] = ()
) -> str:
    """Return the code in a model's response, or "" when it has none. Parameters as in `find_code`."""
    return find_code(response, language=language, policy=policy, defines=defines).code


def find_code(
    response: str, *, language: str = "python", policy: str = "auto", defines: Collection[str] = ()
) -> Extraction:
    """Return the code in a model's response, and how it was chosen.

    A response that is code as it stands is taken whole. Else its fenced blocks of the language are looked at, or those
    without a language when there are none; fences may be unclosed, indented, in lists or in quotes. Text before
    ``</think>`` is not looked at.

    Parameters
    ----------
    response: raw model text, at most 250,000 characters.
    language: blocks of this language, under any of its common names, are code.
    policy: which of several blocks. ``auto``: the last one that parses and defines what is asked, with the earlier ones
        whose names it uses; else all, joined. ``first``, ``last``, ``all``: as they say.
    defines: the names that the code is asked for, such as the function that the cases call.

    Raises RewardkitUsageError for an unknown policy and TypeError for a response that is no text; nothing else.
    """
    if policy not in POLICIES:
        raise RewardkitUsageError(f"no extraction policy {policy!r}{did_you_mean(str(policy), POLICIES)}")
    if not isinstance(response, str):
        raise TypeError(f"a response is a str, not {type(response).__name__}")
    if len(response) > RESPONSE_LIMIT:
        return Extraction("", f"the response has {len(response):,} characters, more than {RESPONSE_LIMIT:,}")
    text = _without_thoughts(response.removeprefix("\ufeff")).replace("\r\n", "\n")
    if language == "python" and (source := read_source(textwrap.dedent(text))) and source.is_code:
        return Extraction(source.text, "the whole response")
    blocks = _blocks_of(text, language)
    if blocks:
        return _chosen(blocks, language, policy, defines)
    return _unfenced(text) if language == "python" else Extraction("", f"no {language} in the response")


_THOUGHTS: Final = re.compile(r"\s*<(think|thinking|reasoning)>.*</\1>", re.DOTALL)


def _without_thoughts(response: str) -> str:
    match = _THOUGHTS.match(response)
    return response[match.end() :] if match else response


def _blocks_of(text: str, language: str) -> list[_Block]:
    """The fenced blocks of a language, or those that name none."""
    names = _ALIASES.get(language, {language})
    fences = [block for block in _fences(text) if block.text.strip()]
    named = [block for block in fences if block.language in names]
    if named:
        return named
    unnamed = [block for block in fences if not block.language]
    if language != "python":
        return unnamed
    # Output shown in a fence without a language reads as Python surprisingly often: "1\n2" is two expressions.
    return [block for block in unnamed if (source := read_source(block.text)) is None or source.is_code]


# Only the block structure matters. Link references and inline markup cost time, and HTML blocks would hide the fences
# in them.
_UNUSED_RULES: Final = ["inline", "reference", "html_block", "lheading"]
_LANGUAGE: Final = re.compile(r"[\w+#-]+")
# A closing fence that Markdown does not take for one, being too short or not on a line of its own.
_MISSHAPEN_END: Final = re.compile(r"``+\s*\Z")


def _fences(text: str) -> list[_Block]:
    parser = MarkdownIt("commonmark").disable(_UNUSED_RULES)
    # Markdown takes what is indented by four spaces for code in itself, backticks and all. Models indent so by
    # mistake; but in code that is fenced properly, an indented fence is text. Hence two rounds.
    return _parsed(parser, text) or _parsed(parser.disable("code"), text)


def _parsed(parser: MarkdownIt, text: str) -> list[_Block]:
    return [_block(token.info, token.content) for token in parser.parse(text) if token.type == "fence"]


def _block(info: str, content: str) -> _Block:
    language = _LANGUAGE.search(info)
    return _Block(language.group().lower() if language else "", _prompts_off(_MISSHAPEN_END.sub("\n", content)))


_PROMPT: Final = re.compile(r"(?:>>>|\.\.\.)(?: |$)")


def _prompts_off(code: str) -> str:
    """An interactive session's input, without prompts and output; any other code as it is."""
    if not code.lstrip().startswith(">>> "):
        return code
    lines = [line.strip("\n") for line in textwrap.dedent(code).split("\n")]
    return "\n".join(line[match.end() :] for line in lines if (match := _PROMPT.match(line)))


def _chosen(blocks: Sequence[_Block], language: str, policy: str, defines: Collection[str]) -> Extraction:
    if policy == "first" or len(blocks) == 1:
        return _joined(blocks, [0])
    if policy == "last":
        return _joined(blocks, [len(blocks) - 1])
    if policy == "all" or language != "python":
        return _joined(blocks, range(len(blocks)))
    return _joined(blocks, _needed([read_source(block.text) for block in blocks], defines) or range(len(blocks)))


def _needed(sources: Sequence[Source | None], defines: Collection[str]) -> list[int]:
    """The places of the last source that defines what is asked and of the earlier ones that it cannot do without.

    Empty when no source defines any of it.
    """
    readable = {place: source for place, source in enumerate(sources) if source is not None and source.is_code}
    wanted = set(defines) & {name for source in readable.values() for name in source.defines}
    chosen: list[int] = []
    for place, source in reversed(readable.items()):
        if wanted & source.defines or not (chosen or defines):
            chosen.append(place)
            wanted = (wanted - source.defines) | source.uses
    return sorted(chosen)


def _joined(blocks: Sequence[_Block], places: Sequence[int]) -> Extraction:
    code = "\n\n".join(textwrap.dedent(blocks[place].text).strip("\n") for place in places) + "\n"
    if len(blocks) == 1:
        return Extraction(code, "the only code block")
    if len(places) == len(blocks):
        return Extraction(code, f"all {len(blocks)} code blocks, joined")
    numbers = " and ".join(str(place + 1) for place in places)
    return Extraction(code, f"code block{'s' if len(places) > 1 else ''} {numbers} of {len(blocks)}")


_CODE_STARTS: Final = re.compile(
    r"^[ \t]*(?:(?:async )?def \w+ ?\(|class \w+ ?[(:]|@\w|import \w+|from [\w.]+ import |if __name__|[a-z_][\w.]*\("
    r"|\w+ = |(?:for|while) .*:$)",
    re.MULTILINE,
)
_ATTEMPTS: Final = 8


def _unfenced(text: str) -> Extraction:
    """Code that stands in prose without a fence: from the first line that looks like it, as far as it parses."""
    text = textwrap.dedent(text)
    start = _CODE_STARTS.search(text)
    if start is None:
        return Extraction("", "no code in the response")
    paragraphs = re.split(r"(\n[ \t]*\n)", text[start.start() :])
    for end in range(len(paragraphs), max(0, len(paragraphs) - 2 * _ATTEMPTS), -2):
        source = read_source(textwrap.dedent("".join(paragraphs[:end])))
        if source is not None and source.is_code:
            return Extraction(source.text, "the code in the text, without a fence")
    return Extraction("".join(paragraphs), "what looks like code in the text, without a fence")
