"""Finds out which statements of a source a type checker checks. Pure.

A checker skips code that it takes for unreachable, and code that a comment, a decorator or a setting excludes: too many
ways to list. So the checker is asked before statements, by a call of `reveal_type`: if it does not answer, it does not
check.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.scorers.innermost import Innermost
from pytest_rewardkit.scorers.statements import does_something

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ANSWER: Final = "Revealed type is"
"""How a checker's note begins if it answers."""

_QUESTION: Final = "reveal_type(0)"
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_DECIDED: Final = frozenset({"MYPY", "TYPE_CHECKING", "PY2", "PY3", "platform", "version_info"})
"""Names whose conditions checkers decide themselves."""


class Questioned:
    """A source with questions to a type checker in it.

    Parameters:
        code: the source; its text keeps only comments that are types.

    Raises SyntaxError, ValueError, and RecursionError for deeply nested source.
    """

    def __init__(self, code: str) -> None:
        tree = _parsed(code)
        self._statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
        self.decided = [node for node in self._statements if _is_decided(node)]
        """Statements with a part that a condition hides from the checker and that no question can be put into."""
        self._governing: dict[ast.stmt, ast.stmt] = {}
        for node in list(ast.walk(tree)):
            for block in _blocks(node):
                if not all(map(_is_empty, block)):
                    block[:] = self._asked(block, in_class=isinstance(node, ast.ClassDef))
        self.text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        pairs = zip(ast.walk(tree), ast.walk(ast.parse(self.text)), strict=True)
        self._lines = {
            node: (written.lineno, written.end_lineno or written.lineno)
            for node, written in pairs
            if isinstance(node, ast.stmt) and isinstance(written, ast.stmt)
        }
        self._innermost = Innermost(((self._lines[it][0], 0), (self._lines[it][1], 0), it) for it in self._statements)

    def at(self, line: int) -> ast.stmt | None:
        """Return the innermost statement of the source at a line of the text."""
        return self._innermost.at((line, 0))

    def passed_over(self, answered: Collection[int]) -> list[ast.stmt]:
        """Return the statements that were not checked, given the lines of the text that got an answer.

        A statement that only marks code as unreachable is not an omission.
        """
        silent = [node for node, question in self._governing.items() if self._lines[question][0] not in answered]
        return [node for node in silent if not _says_unreachable(node)]

    def _asked(self, block: list[ast.stmt], *, in_class: bool) -> list[ast.stmt]:
        """A block with questions in it, except where one would split what belongs together."""
        found: list[ast.stmt] = []
        question: ast.stmt | None = None
        previous: ast.stmt | None = None
        for statement in block:
            is_apart = in_class and (previous is None or _is_member(previous))
            if not is_apart and not isinstance(previous, _DEFINITIONS) and not _is_head(statement):
                question = ast.parse(_QUESTION).body[0]
                found.append(question)
            if question is not None:
                self._governing[statement] = question
            found.append(statement)
            previous = statement
        return found


def _parsed(code: str) -> ast.Module:
    try:
        tree = ast.parse(code, type_comments=True)
    except SyntaxError:  # from a comment that only looks like a type
        return ast.parse(code)
    tree.type_ignores.clear()
    return tree


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield block


def _is_head(statement: ast.stmt) -> bool:
    """Whether a statement must be a module's first."""
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_empty(statement: ast.stmt) -> bool:
    """Whether a statement stands for a body written elsewhere, as in overloads and protocols."""
    return not does_something(statement) or isinstance(statement, ast.Raise)


def _is_member(statement: ast.stmt) -> bool:
    """Whether a statement may be in the body of a class-based tuple, dictionary or the like."""
    if isinstance(statement, ast.Assign):
        return not any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return not does_something(statement) or isinstance(statement, (*_DEFINITIONS, ast.AnnAssign))


def _says_unreachable(statement: ast.stmt) -> bool:
    match statement:
        case ast.Raise() | ast.Pass() | ast.Assert(test=ast.Constant(value=False)):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never") | ast.Attribute(attr="assert_never"))):
            return True
    return False


def _is_decided(statement: ast.stmt) -> bool:
    conditions: list[ast.expr] = []
    for node in _own_nodes(statement):
        match node:
            case ast.IfExp(test=test):
                conditions.append(test)
            case ast.BoolOp(values=[*tests, _]):
                conditions += tests
            case ast.comprehension(ifs=tests):
                conditions += tests
    return any(_name(node) in _DECIDED for test in conditions for node in ast.walk(test))


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement, without the statements in it."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        yield node
        pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
