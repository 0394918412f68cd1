"""What stands around code in a model's response, and is none of it: thoughts, end marks, answer tags. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.scorers.fences import Block

_THOUGHT: Final = r"(?:think|thinking|thought|thoughts|reasoning|analysis|scratchpad)"
_OPEN_THOUGHT: Final = re.compile(rf"\s*<{_THOUGHT}>")
# Not one in quotes, as code about models has it; a fence may follow.
_UNQUOTED: Final = r"(?![\"'\\]|`(?!``))"
_END_OF_THOUGHT: Final = re.compile(rf"</{_THOUGHT}>{_UNQUOTED}")

_TAG: Final = re.compile(
    r"<(answer|solution|code|final_answer|final|python|response|output_code|tool_call|execute)>(?![\"'`\\])",
    re.IGNORECASE,
)
MOST_TAGS: Final = 50

_MARK: Final = (
    # Some models have wide bars.
    r"(?:<[|\uff5c][^<>|\uff5c\n]{1,40}[|\uff5c]>|</?s>|<(?:eos|bos|pad|EOT)>|<(?:end|start)_of_turn>"
    r"|\[(?:DONE|END|BEGIN|EOS|/?INST|/?PYTHON|/?CODE|/?ANSWER|/?SOLUTION)\]"
    rf"|</?{_THOUGHT}>|</?(?:answer|solution|code|final_answer|final|python|response)>)"
)
# At one end of a line; in the middle of it, it is more likely a part of code.
_MARK_AT_LINE_END: Final = re.compile(
    rf"^[ \t]*{_MARK}(?:[ \t]*{_MARK})*|{_MARK}(?:[ \t]*{_MARK})*[ \t]*$", re.MULTILINE
)
_ROLE: Final = re.compile(r"\s*(?:assistant|model|user|python|code)[ \t]*:?[ \t]*\n", re.IGNORECASE)


def normalised(response: str) -> str:
    """Return a response with plain line ends, and without a byte order mark."""
    return response.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


_NAMED_MARK: Final = re.compile(r"[ \t]*\[(DONE|END)\]\s*\Z")
_BEGIN: Final = re.compile(r"\s*\[(?:BEGIN|PYTHON|CODE|ANSWER|SOLUTION)\][ \t]*\n")


def without_named_mark(text: str) -> str:
    """Return a text without ``[DONE]`` at its end, which reads as Python, unless the text knows of such a name."""
    match = _NAMED_MARK.search(text, max(0, len(text) - 200))
    if match is None or re.search(rf"\b{match[1]}\b", text[: match.start()]):
        return text
    return text[: match.start()] + "\n"


def begins_with_mark(text: str) -> bool:
    """Whether a text begins with such a mark."""
    return _BEGIN.match(text) is not None


def without_thoughts(text: str) -> str:
    """Return what comes after a model's thoughts; thoughts that do not end are taken for the answer."""
    if ends := [match.end() for match in _END_OF_THOUGHT.finditer(text)]:
        return text[ends[-1] :]
    opening = _OPEN_THOUGHT.match(text)
    return text[opening.end() :] if opening else text


def between_marks(text: str) -> list[str]:
    """The pieces of a text between the marks with which models and benchmarks begin and end, in order."""
    pieces = _MARK_AT_LINE_END.split(text)
    if len(pieces) == 1:
        return [text]
    return [pieces[0], *(_ROLE.sub("", piece, count=1) for piece in pieces[1:])]


def before_marks(text: str) -> str:
    """Return a text up to the first mark."""
    match = _MARK_AT_LINE_END.search(text)
    return text[: match.start()] if match else text


def tagged(text: str, blocks: Sequence[Block]) -> list[str]:
    """What stands in answer tags that no block holds, the last first; tags that do not close reach to the end."""
    starts = _line_starts(text)
    inside = [(starts[block.first], starts[block.last + 1]) for block in blocks]
    found: list[str] = []
    for tag in list(_TAG.finditer(text))[-MOST_TAGS:]:
        if any(start <= tag.start() < end for start, end in inside):
            continue
        close = re.compile(rf"</{tag[1]}>", re.IGNORECASE).search(text, tag.end())
        found.append(text[tag.end() : close.start() if close else len(text)])
    return found[::-1]


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [*starts, starts[-1]]
