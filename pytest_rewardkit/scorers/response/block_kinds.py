"""The purpose of a Python block in a response: a solution, or something that explains one. Pure."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.response.source import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.scorers.response.source import Source

MAX_QUOTED: Final = 20

_READS: Final = re.compile(r"\binput\(|\bstdin\b|\bopen\(0|__name__ *== *['\"]__main__")
_LEFT_OUT: Final = re.compile(
    r"^[ \t]*#[ \t]*(?:\.\.\.|…|\(?(?:rest of|same as|existing code|remaining|your code|previous code|as before))",
    re.MULTILINE | re.IGNORECASE,
)
_OF_CHECKS: Final = (ast.Assert, ast.Assign, ast.Import, ast.ImportFrom)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPOUND: Final = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def is_whole_program(source: Source) -> bool:
    """Whether a source reads input and acts on its own, so that it needs no other source after it."""
    return _READS.search(source.text) is not None and acts(source)


def acts(source: Source) -> bool:
    """Whether a source has an effect when it runs, beyond binding names."""
    tree = syntax_tree(source.text)
    return tree is not None and any(map(_acts, tree.body))


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return isinstance(statement, _COMPOUND) and any(
        _acts(inner) for inner in ast.iter_child_nodes(statement) if isinstance(inner, ast.stmt)
    )


def really_defines(source: Source, names: set[str]) -> bool:
    """Whether a source defines some of these names by more than an import, a mere signature, or part of a body."""
    tree = syntax_tree(source.text)
    if tree is None or _LEFT_OUT.search(source.text):
        return False
    found = {name: _is_stub(node) for node in tree.body for name in _names(node)}
    return not all(found.get(name, False) for name in names & source.defines)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _is_stub(node: ast.stmt) -> bool:
    """Whether a definition leaves its body open."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, _FUNCTIONS):
        return all(map(_is_nothing, node.body))
    if isinstance(node, ast.ClassDef):
        functions = [inner for inner in node.body if isinstance(inner, _FUNCTIONS)]
        return bool(functions) and all(_is_stub(inner) or _is_nothing(inner) for inner in functions)
    return False


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def is_example(source: Source, earlier: Sequence[Source]) -> bool:
    """Whether a source shows something about earlier ones: output, checks, tests, uses, or lines of them."""
    tree = syntax_tree(source.text)
    if tree is None:
        return False
    if all(isinstance(node, ast.Expr) and _is_literal(node.value) for node in tree.body):
        return True
    checks = [isinstance(node, ast.Assert) for node in tree.body]
    if any(checks) and all(isinstance(node, _OF_CHECKS) for node in tree.body):
        return True
    if any(map(_is_test, tree.body)) or any(_uses_again(source, tree, other) for other in earlier):
        return True
    lines = [line.strip() for line in source.text.splitlines() if line.strip()]
    return len(lines) <= MAX_QUOTED and any(_quotes(lines, other.text) for other in earlier)


def _is_literal(node: ast.expr) -> bool:
    """Whether an expression is plain data, without names."""
    return not any(isinstance(inner, ast.Name | ast.Call | ast.JoinedStr) for inner in ast.walk(node))


def _is_test(node: ast.stmt) -> bool:
    if isinstance(node, _FUNCTIONS):
        return node.name.startswith("test_")
    return isinstance(node, ast.ClassDef) and any("TestCase" in ast.unparse(base) for base in node.bases)


def _uses_again(source: Source, tree: ast.Module, other: Source) -> bool:
    """Whether a source only calls what another source defines and has already called."""
    others = syntax_tree(other.text)
    if others is None or not source.uses or not all(isinstance(node, ast.Expr | ast.Assign) for node in tree.body):
        return False
    functions = {node.name for node in others.body if isinstance(node, (*_FUNCTIONS, ast.ClassDef))}
    used = {
        inner.id
        for node in others.body
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and _acts(node)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name)
    }
    return source.uses <= functions and bool(source.uses & used)


def _quotes(lines: Sequence[str], text: str) -> bool:
    others = [line.strip() for line in text.splitlines() if line.strip()]
    return len(others) > len(lines) and any(
        others[start : start + len(lines)] == list(lines) for start, line in enumerate(others) if line == lines[0]
    )
