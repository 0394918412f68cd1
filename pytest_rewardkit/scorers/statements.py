"""The kinds of a source's statements, so that repeating a statement cannot outweigh others. Pure."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Final

from pytest_rewardkit.scorers.innermost import Innermost

Kind = tuple[str, frozenset["Kind"]]
"""What a statement is: the name of its node, and the kinds inside it."""

_WITHOUT_EFFECT: Final = (ast.Pass, ast.Global, ast.Nonlocal)
_DOING: Final = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)

_TYPES: Final = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset)
_KNOWN: Final = sys.stdlib_module_names.union(dir(builtins), *map(dir, _TYPES))
"""Names with the same meaning everywhere. Other names can be invented without limit."""


class Statements:
    """The statements of a source; those that differ only in their own names and constants count once.

    ``a = 1`` and ``b = 2`` are of one kind; ``print(a)`` and ``len(a)`` are not, since these names are Python's. A
    longer sum, list or call of the same kind of items is of the same kind. A statement without effect is of no kind
    that counts.

    Parameters:
        tree: the source.

    Raises RecursionError for deeply nested source.
    """

    def __init__(self, tree: ast.Module) -> None:
        statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
        self._own = frozenset(_own_names(tree))
        self._innermost = Innermost((_start(it), _end(it), it) for it in statements)
        self._kind_of: dict[ast.stmt, Kind] = {}
        self.kinds = {self.kind(statement) for statement in statements if does_something(statement)}

    def kind(self, statement: ast.stmt) -> Kind:
        """Return the kind of a statement, without the statements inside it."""
        if (kind := self._kind_of.get(statement)) is None:
            kind = self._kind_of[statement] = self._kind(statement)
        return kind

    def at(self, line: int, column: int) -> ast.stmt | None:
        """Return the innermost statement around a place: its line, from 1, and its column in UTF-8, from 0."""
        return self._innermost.at((line, column))

    def _kind(self, node: ast.AST) -> Kind:
        name = f"{type(node).__name__} {self._names(node)}"
        inner: set[Kind] = set()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                continue
            kind = self._kind(child)
            inner |= kind[1] if kind[0] == name else {kind}
        return name, frozenset(inner)

    def _names(self, node: ast.AST) -> str:
        """The names that distinguish a node from others of its type."""
        match node:
            case ast.Constant():
                return type(node.value).__name__
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.ImportFrom(module=str(name)):
                return name if name in _KNOWN and name not in self._own else ""
        return ""


def does_something(statement: ast.stmt) -> bool:
    """Whether a statement may have an effect: `pass`, docstrings and unused values have none."""
    if isinstance(statement, ast.Expr):
        return any(isinstance(node, _DOING) for node in ast.walk(statement.value))
    return not isinstance(statement, _WITHOUT_EFFECT)


def _own_names(tree: ast.Module) -> list[str]:
    """The names that a source binds in any scope, except names that it imports."""
    names: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.append(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.append(name)
    return names


def _start(statement: ast.stmt) -> tuple[int, int]:
    decorators = getattr(statement, "decorator_list", ())
    line = min((statement.lineno, *(decorator.lineno for decorator in decorators)))
    return line, statement.col_offset


def _end(statement: ast.stmt) -> tuple[int, int]:
    return statement.end_lineno or statement.lineno, statement.end_col_offset or 0
