"""Takes the candidate out of a model's response: fenced code in Markdown, or bare code. Pure; never raises."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.scorers.response.blocks import needed_blocks
from pytest_rewardkit.scorers.response.embedded import inside_another_language
from pytest_rewardkit.scorers.response.extraction import Extraction, joined
from pytest_rewardkit.scorers.response.fences import Block, fenced_blocks
from pytest_rewardkit.scorers.response.in_prose import MAX_PIECES, in_prose, python_code
from pytest_rewardkit.scorers.response.languages import NO_PROGRAMS, canonical, foreign_language, shown_name
from pytest_rewardkit.scorers.response.response import (
    before_marks,
    begins_with_mark,
    between_marks,
    in_json,
    in_json_after_words,
    normalised,
    tagged,
    unescaped,
    with_fence_on_its_line,
    without_named_mark,
    without_numbers,
    without_thoughts,
)
from pytest_rewardkit.scorers.response.rewritten import ENTITIES, original_forms
from pytest_rewardkit.scorers.response.source import Source, read_source, unwrapped, without_words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

RESPONSE_LIMIT: Final = 250_000
"""Characters of a response that are searched; this keeps the worst Markdown under two seconds."""

POLICIES: Final = ("auto", "first", "last", "all")


def extract_code(
    response: str, *, language: str = "python", policy: str = "auto", defines: Collection[str] = ()
) -> str:
    """Return the code in a model's response, or "" if it has none. Parameters as in `find_code`."""
    return find_code(response, language=language, policy=policy, defines=defines).code


def find_code(
    response: str, *, language: str = "python", policy: str = "auto", defines: Collection[str] = ()
) -> Extraction:
    """Return the code in a model's response, and how it was chosen.

    A response that is valid code is taken whole. Otherwise its fenced blocks in the language count or, if there are
    none, those without a language; fences may be unclosed, indented, in lists or in quotes. A model's thoughts and the
    marks at its end are ignored; if there are answer tags, their content is preferred. Code that was cut off at its end
    is taken as far as it compiles.

    Parameters:
        response: raw model text, at most 250,000 characters.
        language: blocks of this language, under any of its common names, are code.
        policy: which of several blocks. ``auto``: the last one that parses and defines what is asked, with the earlier
            ones whose names it uses, without the checks, sample outputs and uses that follow it; if there is none, all,
            joined. ``first``, ``last``, ``all``: as they say.
        defines: the names that the code must define, such as the function that the cases call.

    Raises RewardkitUsageError for an unknown policy and TypeError for a response that is not text; nothing else.
    """
    if policy not in POLICIES:
        raise RewardkitUsageError(f"no extraction policy {policy!r}{did_you_mean(str(policy), POLICIES)}")
    if not isinstance(response, str):
        raise TypeError(f"a response is a str, not {type(response).__name__}")
    if len(response) > RESPONSE_LIMIT:
        return Extraction("", f"the response has {len(response):,} characters, more than {RESPONSE_LIMIT:,}")
    return _Search(canonical(language), policy, defines).found(normalised(response))


@dataclass(frozen=True, slots=True)
class _Search:
    language: str
    policy: str
    defines: Collection[str]

    def found(self, text: str) -> Extraction:
        found = self._read(text)
        if not found.code or (self.language == "python" and _is_doubtful(found.code)):
            for form in original_forms(text):
                again = self._read(form)
                # A sentence in typographic quotes is no program, though it would be one in plain quotes.
                is_code = found.code or ((source := read_source(again.code)) and source.defines)
                if again.code and is_code and not _is_doubtful(again.code):
                    return replace(again, how=f"{again.how}, with plain characters")
        return found

    def _read(self, text: str) -> Extraction:
        text = without_named_mark(text)
        if begins_with_mark(text) and (marked := self._marked(text)):
            return marked
        if whole := self._whole(text):
            return whole
        answer = without_thoughts(text)
        if answer != text and (whole := self._whole(answer)):
            return whole
        text = with_fence_on_its_line(answer)
        if (found := self._first(in_json(text))) is not None:
            return replace(found, how=f"{found.how}, in JSON")
        blocks = fenced_blocks(text)
        if (found := self._first(tagged(text, blocks))) is not None:
            return replace(found, how=f"{found.how}, in answer tags")
        if (found := self._fenced(blocks)) is not None:
            return found
        data = [it for block in blocks if block.language == "data" for it in in_json(block.text)]
        if (found := self._first([*data, *in_json_after_words(text)])) is not None:
            return replace(found, how=f"{found.how}, in JSON")
        return self._marked(text, blocks) or self._unfenced(text, blocks)

    def _first(self, texts: Sequence[str]) -> Extraction | None:
        """The first code in any of the texts; preferably one that defines what is asked."""
        found = []
        for text in texts:
            extraction = self._first(in_json(text)) or self._marked(text)
            if extraction is None:
                continue
            source = read_source(extraction.code)
            if source is not None and set(self.defines) & source.defines:
                return extraction
            found.append(extraction)
        return found[0] if found else None

    def _whole(self, text: str) -> Extraction | None:
        if self.language != "python" or _TILDES.match(text) or self._first(in_json(text)) is not None:
            return None
        text = without_writing(text)
        for code in (textwrap.dedent(text), prompts_off(text), _unquoted(text), unescaped(text), without_numbers(text)):
            source = python_code(code)
            if source is not None:
                code = without_words(unwrapped(source))
                return None if foreign_by_names(source) else Extraction(code, "the whole response")
        return None

    def _marked(self, text: str, blocks: Sequence[Block] | None = None) -> Extraction | None:
        """The first code between a text's marks, bare or in fences."""
        pieces = between_marks(text)[:MAX_PIECES] if blocks is None or not blocks else []
        for piece in pieces:
            found = self._whole(piece) or self._fenced(fenced_blocks(piece))
            if found is not None:
                return found
        return None

    def _fenced(self, blocks: Sequence[Block]) -> Extraction | None:
        """The code in fenced blocks; None if no block is in the language."""
        blocks = [_tidied(inner) for block in blocks for inner in _inner(block)]
        blocks = [block for block in blocks if block.text.strip()]
        mine = [block for block in blocks if block.language == self.language]
        if not mine:
            mine = [block for block in blocks if not block.language]
        if self.language == "python":
            read = [read_source(textwrap.dedent(block.text)) for block in mine]
            # Output shown in a fence without a language reads as Python surprisingly often: "1\n2" is two expressions.
            kept = [
                (block, source)
                for block, source in zip(mine, read, strict=True)
                if block.language or _may_be_python(block, source)
            ]
            if not kept:
                others = [replace(it, text=inner) for it in blocks for inner in inside_another_language(it)]
                kept = [(it, source) for it in others if (source := _mislabelled(it))]
            return self._chosen([block for block, _ in kept], [source for _, source in kept]) if kept else None
        return self._chosen(mine, [None] * len(mine)) if mine else None

    def _chosen(self, blocks: Sequence[Block], sources: Sequence[Source | None]) -> Extraction:
        if self.policy == "first" or len(blocks) == 1:
            return joined(blocks, [0], self.language)
        if self.policy == "last":
            return joined(blocks, [len(blocks) - 1], self.language)
        if self.policy == "all" or self.language != "python":
            return joined(blocks, range(len(blocks)), self.language)
        return joined(blocks, needed_blocks(sources, self.defines) or range(len(blocks)), self.language)

    def _unfenced(self, text: str, blocks: Sequence[Block]) -> Extraction:
        """Code in prose without a fence: from the first line that looks like code, as far as it parses."""
        if self.language != "python":
            return Extraction("", f"no {self.language} in the response")
        others = [it.language for it in blocks if it.language not in ("", "python", *NO_PROGRAMS, "bash")]
        others += [it for block in blocks if not block.language and (it := foreign_language(block.text))]
        other = others[0] if others else foreign_language(text)
        if other is not None:
            return Extraction("", f"the candidate is {shown_name(other)}, not Python")
        if (session := _SESSION.search(text)) and python_code(code := prompts_off(text[session.start() :])):
            return Extraction(code, "the session in the text")
        found = in_prose(textwrap.dedent(before_marks(text)))
        if not found.code and any(block.language == "bash" for block in blocks):
            return Extraction("", "the candidate is shell, not Python")
        return found


def _is_doubtful(code: str) -> bool:
    """Whether code is not Python, or only because `&lt;` reads as the name `lt` and the end of a statement."""
    source = read_source(code)
    return source is None or any(f"&{name};" in code for name in source.uses & ENTITIES)


_SESSION: Final = re.compile(r"^[ \t]*>>> ", re.MULTILINE)
_TILDES: Final = re.compile(r"\s*~~~")  # before a name they are operators


def foreign_by_names(source: Source) -> bool:
    """Whether a source that parses as Python is still in another language, such as ``console.log("x")``."""
    return "console" in source.uses and "console.log(" in source.text


def _may_be_python(block: Block, source: Source | None) -> bool:
    if source is None:
        return foreign_language(block.text) is None
    return source.is_code and not foreign_by_names(source)


def _mislabelled(block: Block) -> Source | None:
    """The source in a block that names another language but can only be Python."""
    source = python_code(textwrap.dedent(block.text))
    return source if source is not None and re.search(r"^[ \t]*(?:def|class) \w+.*:", source.text, re.M) else None


def _inner(block: Block) -> Sequence[Block]:
    """The blocks inside a Markdown block; any other block unchanged."""
    may_hold = block.language in NO_PROGRAMS or (
        not block.language and read_source(textwrap.dedent(block.text)) is None
    )
    inner = fenced_blocks(block.text) if may_hold else []
    return [it for it in inner if it.language not in NO_PROGRAMS] or [block]


def _tidied(block: Block) -> Block:
    """A block without prompts and marks, and with plain spaces."""
    text = without_named_mark(prompts_off(without_writing(block.text)))
    if block.language in ("python", "") and read_source(textwrap.dedent(text)) is None:
        for other in (text.replace("\xa0", " "), before_marks(text), unescaped(text), without_numbers(text)):
            if other and other != text and read_source(textwrap.dedent(other)) is not None:
                text = other
                break
    return replace(block, text=text)


_WRITING: Final = re.compile(r"\s*%%(?:writefile|file)[ \t]+(?:-a[ \t]+)?\S+\.py[ \t]*\n")


def without_writing(code: str) -> str:
    """A notebook's cell that writes a file of Python, as that file; any other code unchanged."""
    match = _WRITING.match(code)
    return code[match.end() :] if match else code


_PROMPT: Final = re.compile(r"(?:>>>|\.\.\.)(?: |$)")
_NUMBERED_PROMPT: Final = re.compile(r"(?:In \[\d*\]| {2,}\.\.\.): ?")


def prompts_off(code: str) -> str:
    """An interactive session's input, without prompts and output; any other code unchanged."""
    start = code.lstrip()
    prompt = _PROMPT if start.startswith(">>> ") else _NUMBERED_PROMPT if _NUMBERED_PROMPT.match(start) else None
    if prompt is None:
        return code
    lines = [line.strip("\n") for line in textwrap.dedent(code).split("\n")]
    return "\n".join(line[match.end() :] for line in lines if (match := prompt.match(line)))


def _unquoted(text: str) -> str:
    """A text in which every line is quoted, without the quotes; "" for any other text."""
    lines = text.strip("\n").split("\n")
    if not all(line.startswith(">") or not line.strip() for line in lines):
        return ""
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in lines) + "\n"
