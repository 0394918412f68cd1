"""Assembles a candidate from the beginning in the prompt and the model's response. Pure.

Models continue a prompt, repeat it, or answer with a whole program or only a body, in Markdown or without.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.response.extract import extract_code
from pytest_rewardkit.scorers.response.response import begins_with_mark, between_marks, in_json
from pytest_rewardkit.scorers.response.source import read_source, syntax_tree

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_rewardkit.scorers.response.source import Source

NO_CODE: Final = "there is no code in the candidate"

_RETURN: Final = re.compile(r"^\s*return\b", re.MULTILINE)
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


def assembled(candidate: str, *, begun: str = "", defines: Collection[str] = ()) -> list[str]:
    """Returns the pieces of source that make up a candidate, to be run one after another; none if there is no code.

    Parameters:
        candidate: a continuation of `begun`, a program, or a model's response that holds one of the two.
        begun: source that the prompt begins; "" if the prompt is not source.
        defines: names that the task asks for.
    """
    if not candidate.strip():
        return []
    candidate = next(iter(in_json(candidate)), candidate)
    if begins_with_mark(candidate):
        candidate = next((piece.lstrip("\n") for piece in between_marks(candidate) if piece.strip()), candidate)
    if _FENCE.search(candidate) is None and (sources := _fitting(candidate, begun, defines)):
        return sources
    code = extract_code(candidate, defines=defines)
    if sources := _fitting(code, begun, defines) if code.strip() else []:
        return sources
    continuation = _FENCE.split(candidate, maxsplit=1)[0]
    if begun and _RETURN.search(continuation) and (sources := _fitting(continuation, begun, defines)):
        return sources
    # Unchanged, because its own error message is the most useful one.
    return _behind(begun, code) if code.strip() else []


def completed(begun: str) -> str:
    """Returns a prompt's beginning as source that runs: with a body if its last function has none; "" if impossible."""
    for text in (begun, f"{begun}\n    pass\n"):
        if read_source(text) is not None:
            return text
    return ""


def _behind(begun: str, code: str) -> list[str]:
    """The prompt's beginning, if it is source, followed by the code."""
    return [piece for piece in (completed(begun), code) if piece]


def _fitting(code: str, begun: str, defines: Collection[str]) -> list[str]:
    """The pieces in the combination that parses, or none."""
    program = _module(code)
    if program is not None and (not begun or program.defines & set(defines)):
        return _behind(begun, code)
    if begun:
        body = textwrap.indent(textwrap.dedent(code), "    ")
        # A model's most common slip: the first line has lost its indentation, and the others have kept theirs.
        for whole in (begun + code, f"{begun}\n{body}", f"{begun}\n    {code.lstrip()}"):
            if _module(whole) is not None:
                return [whole]
    if program is not None and program.is_code:
        return _behind(begun, code)
    return []


def _module(text: str) -> Source | None:
    """A text read as a module; None if it is not one, or has a `return` outside a function."""
    source, tree = read_source(text), syntax_tree(text) if _RETURN.search(text) else None
    pending: list[ast.AST] = [] if tree is None else [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            return None
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))
    return source
