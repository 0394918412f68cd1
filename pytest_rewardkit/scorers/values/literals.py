"""Reads a text as the value that it spells, as a Python literal or as JSON. Pure."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from typing import Any, Final

from pytest_rewardkit.scorers.values.digits import whole_number
from pytest_rewardkit.text import one_line

LITERAL_LIMIT: Final = 200_000
"""Characters of a text read as a Python literal; a syntax tree takes some hundred times the memory of its text."""

_MANY_DIGITS: Final = re.compile(r"\d{4000}", re.ASCII)


def literal_value(text: str) -> Any:
    """Return the value that `text` spells as a Python literal or as JSON. Raises ValueError if it spells none."""
    text = text.strip()
    if len(text) <= LITERAL_LIMIT:
        try:
            text = _in_hexadecimal(text) if _MANY_DIGITS.search(text) else text
            return ast.literal_eval(_AsShown().visit(ast.parse(text.lstrip(" \t"), mode="eval")))
        except (ValueError, SyntaxError, TypeError, OverflowError, MemoryError, RecursionError, tokenize.TokenError):
            pass
    try:
        return json_value(text)
    except ValueError:
        raise ValueError("neither a Python literal nor JSON") from None


def _in_hexadecimal(text: str) -> str:
    """`text` with its long whole numbers in hexadecimal, which Python reads at any length."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    written = [(token.type, hex(whole_number(token.string)) if _is_whole(token) else token.string) for token in tokens]
    return str(tokenize.untokenize(written)).strip()


def _is_whole(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.NUMBER and token.string.isdigit()


def json_value(text: str) -> Any:
    """Return the value that `text` spells as JSON. Raises ValueError if it spells none."""
    try:
        return json.loads(text, parse_int=whole_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {one_line(str(error), 100)}") from None


class _AsShown(ast.NodeTransformer):
    """Makes literals of what Python shows of numbers without a literal: `nan`, `inf`, `np.float64(1.5)`, `np.True_`."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_NUMBERS[node.id]) if node.id in _NUMBERS else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        is_numpys = isinstance(node.value, ast.Name) and node.value.id == "np"
        return ast.Constant(_TRUTHS[node.attr]) if is_numpys and node.attr in _TRUTHS else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        scalar = isinstance(node.func, ast.Attribute) and _SCALAR.fullmatch(ast.unparse(node.func))
        return self.visit(node.args[0]) if scalar and len(node.args) == 1 and not node.keywords else node


_NUMBERS: Final = {"nan": math.nan, "inf": math.inf}
_TRUTHS: Final = {"True_": True, "False_": False}
_SCALAR: Final = re.compile(r"np\.(?:u?int|float|complex|str)\w*")
