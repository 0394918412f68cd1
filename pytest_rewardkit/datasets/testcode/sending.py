"""Loads guest code into an interpreter, sends it a task, and fetches the resulting file."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.testcode.guest import (
    answers,
    candidate_names,
    checks,
    child_process,
    digests,
    handing,
    operation_runner,
    operations,
    proxy,
    replying,
    row_test,
    surroundings,
    time_limit,
)
from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.local import counted_share
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.guest import loading
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.interpreter import Interpreter
from pytest_rewardkit.scorers.running.scratch import scratch_path
from pytest_rewardkit.scorers.running.shipping import CODEC, call_plainly

if TYPE_CHECKING:
    from types import ModuleType

    from e2b_code_interpreter import Sandbox

OPERATION_RUNNER: Final = (loading, *CODEC, digests, handing, surroundings, counted_share, time_limit, operation_runner)
TEST_RUNNER: Final = (
    loading,
    *CODEC,
    digests,
    handing,
    surroundings,
    checks,
    proxy,
    counted_share,
    time_limit,
    answers,
    operations,
    candidate_names,
    child_process,
    row_test,
)

MAX_CELL: Final = 200_000
"""The longest input or output of a cell in characters; longer ones pass through a file."""

MAX_FILE: Final = 40_000_000
"""The most bytes that are read from a file; a candidate's output beyond them is ignored."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: the file's content ("" without one), and how the cell ended if it failed."""

    text: str
    verdict: Verdict | None
    reason: str
    duration: float


class Line:
    """An interpreter with loaded guest code, and the exchange with it. A context manager.

    Parameters:
        sandbox: where it runs.
        modules: the guest code, each module after those that it imports; the last one has the functions to call.
        starts_with_call: whether the interpreter may start within the time limit of the first call.
    """

    def __init__(self, sandbox: Sandbox, modules: tuple[ModuleType, ...], *, starts_with_call: bool = False) -> None:
        self._sandbox = sandbox
        self._modules = modules
        self._interpreter = Interpreter(sandbox, starts_with_code=starts_with_call)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._interpreter.__exit__(None, None, None)

    @property
    def alive(self) -> bool:
        """Whether the interpreter still has its state."""
        return self._interpreter.alive

    def start(self) -> None:
        """Starts the interpreter, unless it is running. Raises SandboxUnavailable."""
        self._interpreter.start()

    @property
    def has_begun(self) -> bool:
        """Whether code has run in it, or may have."""
        return self._interpreter.has_begun

    def call(self, function: str, task: dict[str, Any], *, limit: float) -> Reply:
        """Calls a function of the guest code with a task and the path of the file that it must write.

        Parameters:
            limit: seconds, after which the interpreter is ended.

        When the call returns, neither file is left.

        Raises:
            SandboxUnavailable: the sandbox, or the connection to it, is lost.
        """
        # The path is secret until the file exists; anything that a candidate puts there is its own answer anyway.
        path = scratch_path()
        data = json.dumps(task)
        if is_large := len(data) > MAX_CELL:
            with sandbox_failures():
                again(lambda: self._sandbox.files.write(f"{path}.task", data))
        given = (self._modules[-1].__name__, function, f"{path}.task" if is_large else data, path, MAX_CELL)
        cell = call_plainly(self._interpreter, (*self._modules, replying), "reply", *given, limit=limit)
        if cell.verdict is None and cell.value:
            return Reply(f"{cell.value}\n", None, "", cell.duration)  # trailing line ends are not shown
        try:
            text = self._read(path)
        finally:
            self._remove(path, *([f"{path}.task"] if is_large else []))
        verdict, reason = cell.verdict, cell.reason
        if len(text) > MAX_FILE:
            verdict, reason = Verdict.RUNTIME_ERROR, f"put out more than {MAX_FILE:,} characters of answers"
        return Reply(text[:MAX_FILE], verdict, reason, cell.duration)

    def _read(self, path: str) -> str:
        try:
            with sandbox_failures():
                size = min(again(lambda: self._sandbox.files.get_info(path)).size, MAX_FILE)
                content = again(lambda: self._content(path))
                if len(content) < size:  # the answer or the file is cut short
                    content = again(lambda: self._content(path))
                return content.decode("ascii", "replace")
        except SandboxSpoilt as error:
            from e2b import NotFoundException

            if isinstance(error.__cause__, NotFoundException):
                return ""
            raise

    def _content(self, path: str) -> bytearray:
        content = bytearray()
        for chunk in self._sandbox.files.read(path, format="stream"):
            content += chunk
            if len(content) > MAX_FILE:
                break
        return content

    def _remove(self, *paths: str) -> None:
        with suppress(SandboxUnavailable), sandbox_failures():
            again(lambda: [self._sandbox.files.remove(path) for path in paths])
