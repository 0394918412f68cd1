"""BigCodeBench: a function that uses libraries, tested by a `unittest` class.

Fields: ``task_id``, ``complete_prompt``, ``instruct_prompt``, ``code_prompt``, ``canonical_solution``, ``test``,
``entry_point``, ``libs`` (Zhuo et al. 2024, arXiv:2406.15877; github.com/bigcode-project/bigcodebench).

The tests patch modules under the candidate, and inspect files and plots that it makes. So they run in the candidate's
process and, unlike those of the other formats, within its reach (guest/unittests.py).

Runs without a candidate, elsewhere, find out what a sandbox lacks and which tests pass if the function does nothing.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.formats.assembly import NO_CODE, assembled, completed
from pytest_rewardkit.datasets.formats.reading import optional_text, text, wrong
from pytest_rewardkit.datasets.formats.task import RowTask
from pytest_rewardkit.datasets.testcode.candidate import failure_verdict
from pytest_rewardkit.datasets.testcode.sending import Line
from pytest_rewardkit.datasets.testcode.unit_tests import UNIT_TESTS
from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.scorers.running.tenants import moves_in, settled
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.testcode.sending import Reply
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner

TIME_LIMIT: Final = 60.0
"""Seconds for all tests of a row; many of them import large libraries first."""

CASE: Final = "TestCases"

_MODULE: Final = re.compile(r"No module named '([\w.]+)'|Missing optional dependency '([\w.]+)'")


@dataclass(frozen=True, kw_only=True)
class UnitTestsTask(RowTask):
    """A function, tested by unit tests in its own process; each test is a part of the reward."""

    begun: str
    entry_point: str
    test: str
    names: tuple[str, ...]
    needs: tuple[str, ...]

    def score(
        self, sandbox: Sandbox, candidate: str, *, test_runner: TestRunner, time_limit: float | None = None
    ) -> Reward:
        sources = assembled(candidate, begun=self.begun, defines=(self.entry_point,))
        if not sources:
            return self._failed(Verdict.NO_CODE, NO_CODE)
        try:
            nothing = _UnitTestRun(test_runner.unit_tests(self._task(self._nothing())))
            if nothing.obstacle:
                return Reward.unscored(nothing.obstacle)
            vacuous = {name for name in self.names if nothing.passed(name) or nothing.skipped(name)}
            if vacuous.issuperset(self.names):
                return Reward.unscored("the row's tests say nothing of a candidate: doing nothing passes them too")
            with Line(sandbox, UNIT_TESTS) as line:
                line.start()
                moves_in(sandbox)
                run = _UnitTestRun(line.call("run", self._task(sources), limit=time_limit or TIME_LIMIT))
            if run.lacks and (lacking := self._reference_lacks(test_runner)):
                return Reward.unscored(f"the sandbox lacks what the row needs: {lacking}")
        except SandboxUnavailable as error:
            return settled(sandbox, error, self._failed)
        return self._reward(run, vacuous)

    def _nothing(self) -> list[str]:
        """A candidate that does nothing."""
        return [completed(self.begun), f"def {self.entry_point}(*_, **__): pass"]

    def _task(self, sources: Sequence[str]) -> dict[str, Any]:
        # The test may use the prompt's imports, and a candidate may have given these names another meaning.
        test = f"{_imports(self.begun)}\n{self.test}"
        of_row = {"case": CASE, "names": self.names, "needs": self.needs, "entry_point": self.entry_point}
        return {"sources": sources, "test": test, **of_row}

    def _reference_lacks(self, test_runner: TestRunner) -> str:
        """What the row's own reference lacks too; a candidate may have imported a module that exists nowhere."""
        sources = assembled(self.reference or "", begun=self.begun, defines=(self.entry_point,))
        return _UnitTestRun(test_runner.unit_tests(self._task(sources))).lacks if sources else ""

    def _reward(self, run: _UnitTestRun, vacuous: Collection[str]) -> Reward:
        loading = run.loading
        if loading is None or loading.get("test"):
            # The tests themselves load: they did without the candidate.
            reason = _raised(loading) if loading else run.ended[1]
            return self._failed(run.ended[0], reason)
        if not loading.get("loaded"):
            verdict = Verdict.COMPILE_ERROR if loading.get("compiling") else failure_verdict(str(loading.get("type")))
            return self._failed(verdict, _raised(loading))
        return Reward.from_parts(_part(name, run, vacuous=name in vacuous) for name in self.names)

    def _failed(self, verdict: Verdict, reason: str) -> Reward:
        reason = printable(reason, keep="\n\t")
        return Reward.from_parts(Part(name, 0.0, verdict=verdict, reason=reason) for name in self.names)


class _UnitTestRun:
    """The output of a run of a row's tests, line by line."""

    def __init__(self, reply: Reply) -> None:
        self.ended = reply.verdict or Verdict.RUNTIME_ERROR, reply.reason or "the candidate ended its interpreter"
        lines = [line for text in reply.text.split("\n")[:-1] if (line := _object(text))]
        self.loading = lines[0] if lines else None
        self.results = {str(line.get("name")): line for line in lines[1:]}

    @property
    def obstacle(self) -> str:
        """Why the tests cannot run at all; "" if they can."""
        loading = self.loading
        if loading is None:
            return f"the row's tests cannot be loaded: {self.ended[1]}"
        if missing := loading.get("missing") or ([self.lacks] if not loading.get("loaded") and self.lacks else []):
            return f"the sandbox lacks what the row needs: {', '.join(map(str, missing))}"
        return "" if loading.get("loaded") else f"the row's tests cannot be loaded: {_raised(loading)}"

    @property
    def lacks(self) -> str:
        """The first module that was not found, or the message of the import error; "" if there was none."""
        for line in (self.loading or {}, *self.results.values()):
            if line.get("type") in ("ModuleNotFoundError", "ImportError"):
                named = _MODULE.search(str(line.get("message")))
                return next(filter(None, named.groups())) if named else _raised(line)
        return ""

    def passed(self, name: str) -> bool:
        return self.results.get(name, {}).get("passed") is True

    def skipped(self, name: str) -> bool:
        return self.results.get(name, {}).get("skipped") is True


def read(row: Row) -> UnitTestsTask:
    """Reads a row as a task."""
    test = text(row, "test")
    names = _test_names(row, test)
    begun = text(row, "code_prompt")
    return UnitTestsTask(
        prompt=optional_text(row, "complete_prompt", "instruct_prompt", "code_prompt"),
        reference=optional_text(row, "canonical_solution"),
        begun=begun if begun.endswith("\n") else f"{begun}\n",
        entry_point=text(row, "entry_point"),
        test=test,
        names=names,
        needs=_needs(row),
    )


def _test_names(row: Row, test: str) -> tuple[str, ...]:
    try:
        body = ast.parse(test).body
    except SyntaxError as error:
        raise wrong(row, "test", f"Python ({error})") from None
    cases = [node for node in body if isinstance(node, ast.ClassDef) and node.name == CASE]
    functions = [node for case in cases for node in case.body if isinstance(node, ast.FunctionDef)]
    names = tuple(node.name for node in functions if node.name.startswith("test"))
    if not names:
        raise wrong(row, "test", f"a class {CASE} with tests")
    return tuple(dict.fromkeys(names))


def _imports(begun: str) -> str:
    try:
        body = ast.parse(completed(begun)).body
    except (SyntaxError, ValueError):
        return ""
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


def _needs(row: Row) -> tuple[str, ...]:
    libraries = row.get("libs") or []
    if isinstance(libraries, str):
        try:
            libraries = ast.literal_eval(libraries)
        except (ValueError, SyntaxError):
            raise wrong(row, "libs", "a list of names") from None
    return tuple(str(name).partition(".")[0] for name in libraries)


def _part(name: str, run: _UnitTestRun, *, vacuous: bool) -> Part:
    result = run.results.get(name)
    if result is None:
        return Part(name, 0.0, verdict=run.ended[0], reason=run.ended[1])
    if vacuous and (run.passed(name) or run.skipped(name)):
        return Part(name, 1.0, weight=0.0, reason="doing nothing passes it too")
    if run.passed(name):
        return Part(name, 1.0)
    kind = str(result.get("type"))
    verdict = Verdict.WRONG_OUTPUT if kind in ("AssertionError", "Tampering") else failure_verdict(kind)
    return Part(name, 0.0, verdict=verdict, reason=_raised(result))


def _raised(line: dict[str, Any]) -> str:
    message = str(line.get("message", ""))
    last = message.rstrip().rpartition("\n")[2]
    kind = str(line.get("type"))
    return printable(last if last.startswith(kind) else f"{kind}: {message}", keep="\n\t")


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
