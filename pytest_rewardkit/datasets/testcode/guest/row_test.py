"""The test's side: runs a benchmark's own test code, apart from the candidate that it tests.

If the test code names something of the candidate, a proxy stands for it. What the test does with the proxy, mostly a
call, becomes an operation for the candidate's sandbox, and the test continues with the returned value, as plain data.
So the candidate cannot reach the test's expectations, its helpers and its `==`.

Asking for one value at a time would be slow. So a dry run of the test comes first: proxies stand for unknown values,
statements that need such a value are skipped, and all requests are collected. With the answers, the test runs in
earnest; if that makes further requests, another round follows. Random numbers repeat, because they are seeded.

A check that passes when the functions do nothing says nothing about a candidate. So the test also runs against
functions that return None, and the checks that pass then are vacuous.
"""

from __future__ import annotations

import ast
import importlib
import json
import random
import re
import sys
import time
import types
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.datasets.testcode.guest.answers import read_answer
from pytest_rewardkit.datasets.testcode.guest.candidate_names import IMPORTED_AS, modules_among, names_from_elsewhere
from pytest_rewardkit.datasets.testcode.guest.checks import Checks, guarded
from pytest_rewardkit.datasets.testcode.guest.child_process import ChildProcesses
from pytest_rewardkit.datasets.testcode.guest.operations import Operations, Unanswered
from pytest_rewardkit.datasets.testcode.guest.proxy import (
    CannotBeSent,
)
from pytest_rewardkit.datasets.testcode.guest.surroundings import as_a_program
from pytest_rewardkit.datasets.testcode.guest.time_limit import TimeUp, processor_time_limit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

SEED = 20210707
SHORTEST = 10.0
TIME_FACTOR = 5.0
"""The least seconds of a run in earnest, and how many times as long as the dry run it may take."""


SHORTEST_OF_NOTHING = 1.0
"""The least seconds of the run without a candidate."""

_MODULE = "row_test"


class RowTest:
    """One row's test code, run in rounds until every value that it asks for is known.

    Parameters:
        program: ``setup``, pieces of source that define what the test may use; ``test``, the test code;
            ``entry_point``, the name of the tested function, or None; ``defined``, names that are the candidate's
            although Python has something with that name; ``seconds`` of processor time for each run of the test.
    """

    def __init__(self, program: dict[str, Any]) -> None:
        self._program = program
        self._operations = Operations()
        self._missing: set[str] = set()
        self._vacuous: dict[int, set[int]] = {}
        self._in_setup = False
        self._planned = 0
        self._dry_run_seconds = 0.0
        self._setup: list[CodeType] = []
        self._test: CodeType | None = None
        self._calls_check = False
        self._elsewhere: list[str] = []
        self._modules: set[str] = set()
        self.checks = Checks(is_dry_run=True, blames=self.blames)

    def advance(self, answers: Iterable[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        """Takes answers; returns ``{"operations": [...]}`` to perform next, or ``{"outcome": {...}}``."""
        self._operations.take(answers)
        if not self._operations.asked:
            stopped = self._dry_run()
            if stopped is not None and stopped["broken"]:
                return {"outcome": self._outcome(stopped)}
            self._vacuous = self._passed_by_nothing()
        if not self._operations.unanswered:
            stopped = self._run(in_earnest=True)
            if not self._operations.unanswered:
                return {"outcome": self._outcome(stopped)}
            self._dry_run()
        return {"operations": self._operations.unanswered}

    def blames(self, error: BaseException | None) -> bool:
        """Whether the candidate raised an exception, or lacks the name that it is about."""
        return error is self._operations.error or (isinstance(error, NameError) and error.name in self._missing)

    def _outcome(self, stopped: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "checks": self.checks.as_json(),
            "made": self.checks.made,
            "planned": self._planned,
            "stopped": stopped,
            "broken_off": self.checks.broken_off,
        }

    def _passed_by_nothing(self) -> dict[int, set[int]]:
        self._run(in_earnest=True, without_candidate=True)
        return self.checks.passes

    def _dry_run(self) -> dict[str, Any] | None:
        begun = time.monotonic()
        stopped = self._run(in_earnest=False)
        self._dry_run_seconds = time.monotonic() - begun
        self._planned = max(self._planned, self.checks.made)
        return stopped

    def _run(self, *, in_earnest: bool, without_candidate: bool = False) -> dict[str, Any] | None:
        """Runs the test code once; returns what stopped it, or None."""
        self.checks = Checks(is_dry_run=not in_earnest, blames=self.blames, vacuous=self._vacuous)
        self._operations.begin(self.checks.calls, in_earnest=in_earnest, without_candidate=without_candidate)
        random.seed(SEED)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(SEED)

        seconds = self._program["seconds"]
        if in_earnest:
            # A candidate's values may be slow to compare on purpose.
            shortest = SHORTEST_OF_NOTHING if without_candidate else SHORTEST
            seconds = min(seconds, max(shortest, TIME_FACTOR * self._dry_run_seconds))
        try:
            with processor_time_limit(seconds):
                self._execute()
        except Unanswered:
            return None
        except (CannotBeSent, TimeUp, *self.checks.failures) as error:  # type: ignore[misc] # mypy takes no starred ones
            # In a dry run the candidate is never at fault; in earnest, its values may have caused the error.
            own = isinstance(error, (ImportError, NameError, SyntaxError, CannotBeSent, TimeUp))
            return self._stopped(error, broken=self._in_setup or (own and not in_earnest))
        return None

    def _stopped(self, error: BaseException, *, broken: bool) -> dict[str, Any]:
        return {
            "broken": broken,
            "type": type(error).__name__,
            "message": str(error)[:1000],
            "by_candidate": self.blames(error),
            "calls": list(self.checks.calls),
        }

    def _execute(self) -> None:
        # Dataclasses and similar code look up their own module.
        module = sys.modules[_MODULE] = types.ModuleType(_MODULE)
        namespace: dict[str, Any] = module.__dict__
        namespace["__rewardkit__"] = self.checks
        self._in_setup = True
        for number, source in enumerate(self._program["setup"]):
            if number == len(self._setup):
                self._setup.append(compile(source, f"<setup {number}>", "exec"))
            exec(self._setup[number], namespace)
        self._in_setup = False
        source, entry_point = self._program["test"], self._program["entry_point"]
        if self._test is None:
            tree = guarded(source)
            # Most tests only define it, and searching the text finds that much sooner.
            may_call = re.search(r"(?<!def )\bcheck\b", source) is not None
            self._calls_check = may_call and any(_calls_check(statement) for statement in ast.walk(tree))
            self._test = compile(tree, "<test>", "exec")
            defined = frozenset(self._program.get("defined", ()))
            self._elsewhere = names_from_elsewhere(source, namespace, entry_point, defined)
            self._modules = modules_among(self._elsewhere, tree) - defined
        for name in self._elsewhere:
            self._bind(name, namespace)
        if entry_point is not None:
            # Replaces the setup's definition: a prompt defines its function without a body.
            namespace[entry_point] = self._operations.ask({"do": "name", "name": entry_point}, entry_point)
        exec(self._test, namespace)
        if "check" in namespace and entry_point not in (None, "check") and not self._calls_check:
            namespace["check"](namespace[entry_point])

    def _bind(self, name: str, namespace: dict[str, Any]) -> None:
        """Binds a name that the test uses without defining it: a module, or something of the candidate."""
        if name in self._modules:
            namespace[name] = importlib.import_module(IMPORTED_AS.get(name, name))
            return
        try:
            namespace[name] = self._operations.ask({"do": "name", "name": name}, name)
        except NameError:
            # The test may never use the name; if it does, a NameError follows.
            self._missing.add(name)
            self.checks.calls.clear()


def _calls_check(node: ast.AST) -> bool:
    """Whether a node is a call to `check` in the test code."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"


_tests: dict[str, RowTest] = {}


def advance(task: dict[str, Any], result_path: str) -> None:
    """Begins or continues a row's test, apart from all others.

    Parameters:
        task: ``token``, which names the test; ``program`` to begin it, or ``numbers`` and ``answers`` to continue.
        result_path: the file that receives the result of `RowTest.advance` as JSON.

    Raises:
        RuntimeError: the test has ended its process.
    """
    if "program" in task:
        _rows.begin()
    _rows.call(task, result_path)


def _advanced(task: dict[str, Any], result_path: str) -> None:
    token = task["token"]
    if "program" in task:
        _tests[token] = RowTest(task["program"])
    answers = map(read_answer, task.get("answers", ()))
    begun = time.monotonic()
    with as_a_program():
        result = _tests[token].advance(zip(task.get("numbers", ()), answers, strict=True))
    result["seconds"] = time.monotonic() - begun
    if "outcome" in result:
        del _tests[token]
    with open(result_path, "w", encoding="ascii") as file:
        file.write(json.dumps(result))  # `dump` is many times slower


_rows = ChildProcesses(_advanced)
