"""Counting what a test checks: its `assert` statements and assertion calls, each of which may fail for itself.

A test that stops at its first failure says little of a candidate that is partly right. Here a failing check is noted,
and the test goes on. Inside `try` and `with` a failure is raised on: there, the test may wait for an exception.

In a dry run, where most values are not known yet, any statement may fail, and the test goes on behind it.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MAX_FAILURES = 5
"""Failures that are told of at one place; all are counted."""

MAX_TEXT = 500

_GUARDED = (
    *(ast.Assert, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete),
    *(ast.For, ast.While, ast.If, ast.With, ast.Try, ast.TryStar, ast.Match),
)
_PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")
_CATCHING = (ast.With, ast.Try, ast.TryStar)


class Checks:
    """The checks of one run of a test, by the line that they stand on.

    The code that `guarded` returns calls `begin` before each check and `passed` or `failed` after it; and `broke` where
    a statement raised that checks nothing. Of nested checks, the outermost counts.

    Parameters:
        is_dry_run: whether every statement that raises is passed over.
        blames: says of an exception whether the candidate raised it.
        vacuous: the checks that say nothing of a candidate: by their line, which times at it.
    """

    def __init__(
        self,
        *,
        is_dry_run: bool,
        blames: Callable[[BaseException | None], bool],
        vacuous: Mapping[int, Collection[int]] | None = None,
    ) -> None:
        self._is_dry_run = is_dry_run
        self._blames = blames
        self._vacuous = vacuous or {}
        self.passes: dict[int, set[int]] = {}
        self._depth = 0
        self._places: dict[int, dict[str, Any]] = {}
        self.calls: deque[str] = deque(maxlen=3)
        self.made = 0
        self.broken_off = False

    @property
    def failures(self) -> tuple[type[BaseException], ...]:
        """What a failing check may raise: where pytest is used, its own kind of failure too, which is no Exception."""
        outcomes = sys.modules.get("_pytest.outcomes")
        return (Exception,) if outcomes is None else (Exception, outcomes.Failed)

    def begin(self, line: int, text: str) -> None:
        self._depth += 1
        if self._depth == 1:
            self._place(line, text)
            self.calls.clear()

    def passed(self, line: int) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.made += 1
            place = self._places[line]
            time = place["passed"] + place["failed"]
            place["passed"] += 1
            place["vacuous"] += time in self._vacuous.get(line, ())
            self.passes.setdefault(line, set()).add(time)

    def failed(self, line: int) -> bool:
        """Notes a failed check; returns whether to raise it on, to the check around this one."""
        self._depth -= 1
        if self._depth == 0:
            self.made += 1
            self._note(self._places[line])
        return self._depth > 0

    def broke(self, line: int, text: str, caught: bool) -> bool:
        """Notes a statement that raised; returns whether to raise it on.

        Parameters:
            caught: whether the statement stands where the test itself may catch what it raises.
        """
        if self._is_dry_run:
            is_an_end = isinstance(sys.exc_info()[1], StopIteration | StopAsyncIteration)  # of a loop of the test's
            return self._depth > 0 or is_an_end
        if self._depth > 0 or caught:
            return True
        self.broken_off = True
        self._note(self._place(line, text))
        return False

    def _place(self, line: int, text: str) -> dict[str, Any]:
        return self._places.setdefault(line, {"text": text, "passed": 0, "vacuous": 0, "failed": 0, "failures": []})

    def _note(self, place: dict[str, Any]) -> None:
        place["failed"] += 1
        if len(place["failures"]) < MAX_FAILURES:
            error = sys.exc_info()[1]
            place["failures"].append(
                {
                    "type": type(error).__name__,
                    "message": _text(error),
                    "by_candidate": self._blames(error),
                    "calls": list(self.calls),
                }
            )

    def as_json(self) -> list[dict[str, Any]]:
        return [{"line": line, **place} for line, place in sorted(self._places.items())]


def guarded(source: str) -> ast.Module:
    """Returns the syntax tree of a test's code with its checks counted by an object named ``__rewardkit__``.

    Raises:
        SyntaxError: the source is no Python.
    """
    tree = ast.parse(source)
    tree.body = _Guard(source).statements(tree.body, caught=False)
    return tree


class _Guard:
    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()

    def statements(self, body: list[ast.stmt], *, caught: bool) -> list[ast.stmt]:
        return [self._statement(statement, caught) for statement in body]

    def _statement(self, statement: ast.stmt, caught: bool) -> ast.stmt:
        inside = caught or isinstance(statement, _CATCHING)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = False
        # In a dry run, a loop that cannot end without a value ends at the first unknown one: nothing in it is guarded.
        if not isinstance(statement, ast.While):
            self._descend(statement, inside)
        if not isinstance(statement, _GUARDED) or _is_text(statement):
            return statement
        line = statement.lineno
        text = "\n".join(self._lines[line - 1 : statement.end_lineno])[:MAX_TEXT].strip()
        # Given to each: to walk through the tree for what is missing takes as long as all else here.
        place = {name: getattr(statement, name) for name in _PLACE}
        if _is_check(statement) and not caught:
            body: list[ast.stmt] = [ast.Expr(_call(place, "begin", line, text), **place), statement]
            otherwise: list[ast.stmt] = [ast.Expr(_call(place, "passed", line), **place)]
            raised = _call(place, "failed", line)
        else:
            body, otherwise = [statement], []
            # A failed assignment leaves a name without its value; the test cannot go on behind it.
            raised = _call(place, "broke", line, text, caught or not isinstance(statement, ast.Expr))
        reaction = ast.If(raised, [ast.Raise(**place)], [], **place)
        handler = ast.ExceptHandler(_of_checks(place, "failures"), None, [reaction], **place)
        return ast.Try(body, [handler], otherwise, [], **place)

    def _descend(self, node: ast.AST, caught: bool) -> None:
        for field in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, field, None), list):
                setattr(node, field, self.statements(body, caught=caught))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            self._descend(part, caught)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_check(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assert):
        return True
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    called = statement.value.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name.lower().startswith("assert")


def _call(place: dict[str, Any], method: str, *arguments: Any) -> ast.Call:
    return ast.Call(_of_checks(place, method), [ast.Constant(item, **place) for item in arguments], [], **place)


def _of_checks(place: dict[str, Any], name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name("__rewardkit__", ast.Load(), **place), name, ast.Load(), **place)


def _text(error: BaseException | None) -> str:
    try:
        return str(error)[:MAX_TEXT]
    except Exception:
        return ""
