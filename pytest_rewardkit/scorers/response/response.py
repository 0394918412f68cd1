"""Removes what surrounds the code in a model's response: thoughts, end marks, answer tags. Pure."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.scorers.response.source import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.scorers.response.fences import Block

_THOUGHT: Final = r"(?:think|thinking|thought|thoughts|reasoning|analysis|scratchpad)"
_OPEN_THOUGHT: Final = re.compile(rf"\s*<(?:\w{{1,20}}:)?{_THOUGHT}>")
# Not in quotes, as in code about models; a fence may follow.
_UNQUOTED: Final = r"(?![\"'\\]|`(?!``))"
_FINAL_CHANNEL: Final = re.compile(r"<\|channel\|>final[^<>\n]{0,40}<\|message\|>")
_END_OF_THOUGHT: Final = re.compile(
    rf"(?:</(?:\w{{1,20}}:)?{_THOUGHT}>|<\|(?:/|end_of_){_THOUGHT}\|>|\[/{_THOUGHT}\]|◁/{_THOUGHT}▷){_UNQUOTED}",
    re.IGNORECASE,
)

_TAG: Final = re.compile(
    r"<(answer|solution|code|final_answer|final|python|response|output_code|tool_call|execute|parameter)"
    r"(?:[ =][^<>\n]{1,100})?>(?![\"'`\\])",
    re.IGNORECASE,
)
_CDATA: Final = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
MAX_TAGS: Final = 50
LEAST_NUMBERED: Final = 2

_MARK: Final = (
    # Some models use wide bars.
    r"(?:<[|\uff5c][^<>|\uff5c\n]{1,40}[|\uff5c]>|</?s>|<(?:eos|bos|pad|EOT)>|<(?:end|start)_of_turn>"
    r"|\[(?:DONE|END|BEGIN|EOS|/?INST|/?PYTHON|/?CODE|/?ANSWER|/?SOLUTION)\]"
    rf"|</?{_THOUGHT}>|</?(?:answer|solution|code|final_answer|final|python|response)>)"
)
# At either end of a line; in the middle, it is more likely part of code.
_MARK_AT_LINE_END: Final = re.compile(
    rf"^[ \t]*{_MARK}(?:[ \t]*{_MARK})*|{_MARK}(?:[ \t]*{_MARK})*[ \t]*$", re.MULTILINE
)
_ROLE: Final = re.compile(r"\s*(?:assistant|model|user|python|code)[ \t]*:?[ \t]*\n", re.IGNORECASE)


def normalised(response: str) -> str:
    """Return a response with plain line ends, and without a byte order mark or zero-width spaces before lines."""
    response = response.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", response)


_UNSEEN: Final = re.compile("^[\u200b\u2060\ufeff]+", re.MULTILINE)
_NAMED_MARK: Final = re.compile(r"[ \t]*\[(DONE|END)\]\s*\Z")
_BEGIN: Final = re.compile(r"\s*\[(?:BEGIN|PYTHON|CODE|ANSWER|SOLUTION)\][ \t]*\n")


def without_named_mark(text: str) -> str:
    """Return a text without ``[DONE]`` at its end, which parses as Python, unless the text uses such a name."""
    match = _NAMED_MARK.search(text, max(0, len(text) - 200))
    if match is None or re.search(rf"\b{match[1]}\b", text[: match.start()]):
        return text
    return text[: match.start()] + "\n"


def begins_with_mark(text: str) -> bool:
    """Whether a text begins with an end mark."""
    return _BEGIN.match(text) is not None


def without_thoughts(text: str) -> str:
    """Return the text after a model's thoughts; thoughts that do not end count as the answer."""
    if finals := [match.end() for match in _FINAL_CHANNEL.finditer(text)]:
        return text[finals[-1] :]
    if ends := [match.end() for match in _END_OF_THOUGHT.finditer(text)]:
        return text[ends[-1] :]
    opening = _OPEN_THOUGHT.match(text)
    return text[opening.end() :] if opening else text


def between_marks(text: str) -> list[str]:
    """The parts of a text between the marks that models and benchmarks put at begin and end, in order."""
    pieces = _MARK_AT_LINE_END.split(text)
    if len(pieces) == 1:
        return [text]
    return [pieces[0], *(_ROLE.sub("", piece, count=1) for piece in pieces[1:])]


def before_marks(text: str) -> str:
    """Return a text up to the first mark."""
    match = _MARK_AT_LINE_END.search(text)
    return text[: match.start()] if match else text


def tagged(text: str, blocks: Sequence[Block]) -> list[str]:
    """The content of answer tags outside blocks, the last first; tags that do not close reach to the end."""
    starts = _line_starts(text)
    inside = [(starts[block.first], starts[block.last + 1]) for block in blocks]
    found: list[str] = []
    for tag in list(_TAG.finditer(text))[-MAX_TAGS:]:
        if any(start <= tag.start() < end for start, end in inside):
            continue
        close = re.compile(rf"</{tag[1]}>", re.IGNORECASE).search(text, tag.end())
        content = text[tag.end() : close.start() if close else len(text)]
        if blocks and "\n" not in content:  # a word in prose, beside code in fences
            continue
        found.append(data[1] if (data := _CDATA.fullmatch(content)) else content)
    return found[::-1]


_KEYS: Final = frozenset(
    (
        *("code", "solution", "answer", "python", "program", "content", "completion", "response", "input", "arguments"),
        *("implementation", "source", "script", "function", "py"),
    )
)
_KEY_WORD: Final = re.compile(r"[A-Z]?[a-z]+")


def in_json(text: str) -> list[str]:
    """The texts under keys that name code, in a text that begins as JSON: structured output, tool calls, notebooks."""
    text = text.lstrip().removeprefix("[TOOL_CALLS]").lstrip()
    if not text.startswith(("{", "[{", '"')):
        return []
    pending: list[Any] = [_json(text)]
    found = []
    for _ in range(MAX_TAGS):
        if not pending:
            break
        item = pending.pop()
        if isinstance(item, dict):
            found += [code for key, value in item.items() if _names_code(key) and (code := _text_of(value))]
            found += _notebook(item)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        pending += [value for value in inner if isinstance(value, dict | list)]
        pending += [_json(value) for value in inner if isinstance(value, str) and value.startswith(("{", "[{"))]
    return found


def _json(text: str) -> Any:
    """The data at the beginning of a text, as JSON or as Python writes it; a JSON string must be the whole text."""
    try:
        data, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return _literal(text)
    if not isinstance(data, str):
        return data
    return {"code": data} if "\n" in data and not text[end:].strip() else None


def _literal(text: str) -> Any:
    tree = syntax_tree(text) if text.startswith(("{", "[{")) else None
    try:
        return ast.literal_eval(tree.body[0].value) if tree and isinstance(tree.body[0], ast.Expr) else None
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _names_code(key: object) -> bool:
    return isinstance(key, str) and not _KEYS.isdisjoint(word.lower() for word in _KEY_WORD.findall(key[:100]))


def _text_of(value: object) -> str:
    """A text, or lines, as one text; "" for anything else."""
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return "\n".join(line.removesuffix("\n") for line in value)
    return value if isinstance(value, str) else ""


def _notebook(item: dict[Any, Any]) -> list[str]:
    """The code of a Jupyter notebook."""
    cells = item.get("cells")
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    code = "\n".join(_text_of(cell.get("source")) for cell in cells if cell.get("cell_type") == "code")
    return [code] if code else []


_FIRST_OBJECT: Final = re.compile(r"^[ \t]*\[?\{", re.MULTILINE)


def in_json_after_words(text: str) -> list[str]:
    """The same for a text with words before the JSON."""
    match = _FIRST_OBJECT.search(text)
    return in_json(text[match.start() :]) if match else []


_FENCE_AFTER_WORDS: Final = re.compile(
    r"^(?![ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?`)([^`\n]*[^`\s])[ \t]*(?=`{3,}(?:python3?|py)[ \t]*$)", re.MULTILINE
)


def with_fence_on_its_line(text: str) -> str:
    """A text whose first fence follows words, with the fence moved to its own line; any other text unchanged."""
    match = _FENCE_AFTER_WORDS.search(text)
    if match is None or "```" in text[: match.end()]:
        return text
    return f"{text[: match.end(1)]}\n{text[match.end() :]}"


def unescaped(text: str) -> str:
    """A text whose lines end in a backslash and an n, with real line ends instead; "" for any other text."""
    if text.strip().count("\n") > 0 or "\\n" not in text:
        return ""
    return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')


_NUMBERED: Final = re.compile(r"[ \t]*L?(\d{1,6})(?:[ \t]{0,3}[:|\u2502.)])?(?:[ \t]|$)")


def without_numbers(text: str) -> str:
    """A text in which every line begins with its number, without the numbers; "" for any other text."""
    lines = text.strip("\n").split("\n")
    matches = [_NUMBERED.match(line) for line in lines]
    if len(lines) < LEAST_NUMBERED or not all(m and int(m[1]) == n for n, m in enumerate(matches, 1)):
        return ""
    return "\n".join(line[match.end() :] for line, match in zip(lines, matches, strict=True) if match) + "\n"


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [*starts, starts[-1]]
