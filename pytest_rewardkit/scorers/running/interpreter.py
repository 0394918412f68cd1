"""Runs a candidate's cells in a sandbox, each under an exact time limit (counted_time.py), on any provider."""

from __future__ import annotations

from contextlib import suppress
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Final, Self

from pytest_rewardkit.errors import RewardkitUsageError, SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.lazy import catch_up, is_lazy, put_off
from pytest_rewardkit.sandboxes.nearby import named_context
from pytest_rewardkit.scorers.running.cell import Cell
from pytest_rewardkit.scorers.running.cell_execution import CellExecution
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.scratch import scratch_path
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    from e2b_code_interpreter import Context, Sandbox

    from pytest_rewardkit.sandboxes.direct import GuestFunction
    from pytest_rewardkit.sandboxes.nearby import NamedContext


class Interpreter:
    """A private interpreter for one candidate, in a sandbox that it may share.

    A context manager: on exit the interpreter's state is gone, and only files may have changed in the sandbox.

    Parameters:
        starts_with_code: whether the interpreter may start together with its first code, and its start count as that
            code's time; otherwise it starts before.
    """

    def __init__(self, sandbox: Sandbox, *, starts_with_code: bool = False) -> None:
        if not is_lazy(sandbox) and (not hasattr(sandbox, "run_code") or iscoroutinefunction(sandbox.run_code)):
            kind = type(sandbox)
            raise RewardkitUsageError(
                f"scorers take an e2b_code_interpreter.Sandbox, not {kind.__module__}.{kind.__qualname__}"
            )
        self.sandbox = sandbox
        self._context: Context | NamedContext | None = None
        self._starts_with_code = starts_with_code
        self._number = 0
        """Number of the last cell."""
        self.has_begun = False
        """Whether any code has begun in it, or may have begun."""
        self.guest_modules: set[ModuleType] = set()
        """The guest modules that the interpreter has (shipping.py); a fresh one has none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        # The sandbox usually ends next, and the interpreter with it.
        if self._context is not None and not put_off(self.sandbox, self._end):
            self._end()

    def _end(self) -> None:
        with suppress(SandboxUnavailable):  # gone already: nothing to clear away, and the scorer has what it needs
            self.discard()

    @property
    def alive(self) -> bool:
        """Whether there is state: code ran, and neither a deadline nor a crash has ended the interpreter since."""
        return self._context is not None

    def discard(self) -> None:
        """End the interpreter with all its state; the next cell runs in a fresh one. Raises SandboxUnavailable."""
        context, self._context = self._context, None
        self.guest_modules.clear()
        if context is not None:
            with sandbox_failures():
                again(lambda: self._remove(context))

    def _remove(self, context: Context | NamedContext) -> None:
        from e2b import NotFoundException

        with suppress(NotFoundException):  # already gone, perhaps by a request whose answer never came
            self.sandbox.remove_code_context(context.id)

    def start(self) -> Context | NamedContext:
        """Start the interpreter if it is not running. Raises SandboxUnavailable."""
        if self._context is None:
            catch_up(self.sandbox)
            with sandbox_failures():
                named = named_context(self.sandbox) if self._starts_with_code else None
                self._context = named or again(self.sandbox.create_code_context)
            self._number = 0
        return self._context

    def deposit(self, text: str) -> str:
        """Store a text as a file in the sandbox, and return its path. Raises SandboxUnavailable."""
        path = scratch_path()
        with sandbox_failures():
            again(lambda: self.sandbox.files.write(path, text))
        return path

    def run(self, code: str, *, limit: float) -> Cell:
        """Run one cell.

        Parameters:
            limit: counted seconds after which the cell is ended, together with the interpreter.

        Raises SandboxUnavailable if the sandbox or its connection is lost, so that nothing can be said about the code.
        """
        try:
            code.encode()
        except UnicodeEncodeError as error:  # a lone surrogate cannot even be sent
            reason = one_line(f"SyntaxError: {error}", 300)
            return Cell((), f"{reason}\n", 0.0, Verdict.COMPILE_ERROR, reason)
        return self.call(code, limit=limit)

    def call(self, code: str | GuestFunction, *, limit: float) -> Cell:
        """Like `run`, but also for a call that needs no cell."""
        try:
            return self._ran(code, limit)
        except SandboxSpoilt:
            raise
        except SandboxUnavailable:
            if not self._has_nothing_begun():
                raise
        return self._ran(code, limit)

    def _ran(self, code: str | GuestFunction, limit: float) -> Cell:
        execution = CellExecution(self.sandbox, self.start(), code, limit)
        in_time = execution.finished_in_time()
        if self._starts_with_code and not self._number and execution.has_never_run:
            # Not our server, or the interpreter could not start; starting it first gives the reason.
            self._starts_with_code = False
            self.discard()
            return self._ran(code, limit)
        self.has_begun = self.has_begun or not execution.has_never_run
        if not in_time:
            self.discard()
            execution.require_end()
            return execution.cell(Verdict.TIMEOUT, f"took longer than {limit:g} s")
        cell = execution.concluded()
        self._number = cell.count or self._number
        if execution.has_ended_interpreter:
            self.discard()
        return cell

    def _has_nothing_begun(self) -> bool:
        """Whether no cell has begun since the last answered one: the interpreter numbers the cells that begin."""
        next_number = self._number + 1
        for _ in range(PROBES):
            if self._context is None:
                return False
            probe = CellExecution(self.sandbox, self._context, "pass", PROBE_SECONDS)
            if not probe.finished_in_time():
                return False
            with suppress(SandboxUnavailable):
                cell = probe.concluded()
                self._number = cell.count or self._number
                return cell.verdict is None and cell.count == next_number
        return False


PROBES: Final = 2
PROBE_SECONDS: Final = 2.0
"""Time for an interpreter to report what has begun in it; if it takes longer, something has begun."""
