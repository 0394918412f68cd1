"""Counts a test's checks: its `assert` statements and assertion calls, each of which may fail on its own.

A test that stops at its first failure says little about a partly right candidate. Here a failed check is noted, and the
test goes on. Inside `try` and `with`, a failure is raised again, because the test may expect an exception there.

In a dry run, in which most values are not known yet, any statement may fail, and the test continues after it.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MAX_FAILURES = 5
"""How many failures are reported for one place; all are counted."""

MAX_TEXT = 500

_GUARDED = (
    *(ast.Assert, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete),
    *(ast.For, ast.While, ast.If, ast.With, ast.Try, ast.TryStar, ast.Match),
)
_PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")
_CATCHING = (ast.With, ast.Try, ast.TryStar)


class Checks:
    """The checks of one run of a test, by their lines.

    The code that `guarded` returns calls `begin` before each check and `passed` or `failed` after it. It calls `broke`
    if a statement that is not a check raises. Of nested checks, the outermost counts.

    Parameters:
        is_dry_run: whether every statement that raises is skipped.
        blames: tells whether the candidate raised an exception.
        vacuous: the checks that say nothing about a candidate: for each line, which of its executions.
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
        """What a failed check may raise. If pytest is used, that includes its own failure, which is no Exception."""
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
        """Notes a failed check; returns whether to raise it again, to the enclosing check."""
        self._depth -= 1
        if self._depth == 0:
            self.made += 1
            self._note(self._places[line])
        return self._depth > 0

    def broke(self, line: int, text: str, caught: bool) -> bool:
        """Notes a statement that raised; returns whether to raise the exception again.

        Parameters:
            caught: whether the test itself may catch the exception.
        """
        if self._is_dry_run:
            is_an_end = isinstance(sys.exc_info()[1], StopIteration | StopAsyncIteration)  # of a loop in the test
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
    """Returns the syntax tree of a test's code, in which an object named ``__rewardkit__`` counts the checks.

    Raises:
        SyntaxError: the source is not Python.
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
        # In a dry run, a loop that needs a value to end stops at the first unknown one: nothing in it is guarded.
        if not isinstance(statement, ast.While):
            self._descend(statement, inside)
        if not isinstance(statement, _GUARDED) or _is_text(statement):
            return statement
        line = statement.lineno
        text = "\n".join(self._lines[line - 1 : statement.end_lineno])[:MAX_TEXT].strip()
        # Passed to each node: filling in missing places by walking the tree takes as long as everything else here.
        place = {name: getattr(statement, name) for name in _PLACE}
        if _is_check(statement) and not caught:
            body: list[ast.stmt] = [ast.Expr(_call(place, "begin", line, text), **place), statement]
            otherwise: list[ast.stmt] = [ast.Expr(_call(place, "passed", line), **place)]
            raised = _call(place, "failed", line)
        else:
            body, otherwise = [statement], []
            # A failed assignment leaves a name without its value, so the test cannot continue after it.
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
