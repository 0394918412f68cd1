"""Code cut off at its end, for example by a token limit: finds the longest part of it that compiles."""

from __future__ import annotations

import ast
import warnings
from typing import Final

ALLOW_INCOMPLETE_INPUT: Final = 0x4000
MAX_TRIES: Final = 60
MAX_CHARACTERS: Final = 2_000_000
"""Characters compiled while lines are removed, all tries together."""


def without_cut_end(code: str) -> str | None:
    """Return `code` without the lines that make its end incomplete; None if it is complete, or nothing is left.

    Code is incomplete if more text could make it right, such as inside an open parenthesis; a mistake is not
    incomplete.
    """
    if not _is_cut(code):
        return None
    lines = code.rstrip().split("\n")
    characters = 0
    for count in range(len(lines) - 1, max(0, len(lines) - MAX_TRIES), -1):
        shorter = "\n".join(lines[:count]) + "\n"
        characters += len(shorter)
        if characters > MAX_CHARACTERS:
            return None
        tree = _tree(shorter)
        if tree is not None:
            return shorter if any(not isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body) else None
    return None


def _is_cut(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(code.rstrip() + "\n", "<candidate>", "exec", ALLOW_INCOMPLETE_INPUT | ast.PyCF_ONLY_AST)
        except SyntaxError as error:
            if "incomplete input" in str(error):
                return True
            lines = code.rstrip().split("\n")
            # Cut in the middle of a line that needs more text.
            at_end = error.lineno == len(lines) and (error.offset or 0) > len(lines[-1].rstrip())
            return not code.endswith("\n") and (at_end or _is_open_string(error, lines))
        except (ValueError, MemoryError, RecursionError, OverflowError):
            return False
    return False


def _is_open_string(error: SyntaxError, lines: list[str]) -> bool:
    """Whether a string is open at the end; an apostrophe in prose does not count."""
    if "unterminated string" not in str(error) or error.lineno != len(lines):
        return False
    before = lines[-1][: max(0, (error.offset or 1) - 1)]
    return not before[-1:].isalpha() or not before[-2:-1].isalpha()


def _tree(code: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
            return None
