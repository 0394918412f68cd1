"""One cell's way through an interpreter, until it ends or its time does."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.local.counted_share import MAX_LIMITS
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.direct import GuestFunction, run_code
from pytest_rewardkit.scorers.guest import figures
from pytest_rewardkit.scorers.running.cell import Cell
from pytest_rewardkit.scorers.running.counted_time import CountedTime
from pytest_rewardkit.scorers.running.displayed import text_shown
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from e2b_code_interpreter import Context, OutputMessage, Result, Sandbox

    from pytest_rewardkit.sandboxes.nearby import NamedContext


OUTPUT_LIMIT: Final = 32_000_000
"""Characters that a cell may send to the host, including displayed objects; a cell that sends more is ended."""


class _OutputFloodError(Exception):
    pass


@dataclass(slots=True)
class CellExecution:
    """One call of `run_code`, in a thread: its own timeouts fire late, and never while a candidate prints."""

    sandbox: Sandbox
    context: Context | NamedContext
    code: str | GuestFunction
    limit: float
    shown: list[tuple[str, str]] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    charts: list[dict[str, Any]] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    size: int = 0
    result: Any = None
    failure: BaseException | None = None
    thread: threading.Thread | None = None
    started: float = field(default_factory=time.monotonic)
    duration: float = 0.0

    def finished_in_time(self) -> bool:
        self.thread = threading.Thread(target=self._run, name="rewardkit-cell", daemon=True)
        self.thread.start()
        CountedTime(self.sandbox, self.limit).runs_out(self._ends_within)
        self.duration = time.monotonic() - self.started
        return not self.thread.is_alive()

    def _ends_within(self, seconds: float) -> bool:
        assert self.thread is not None
        self.thread.join(seconds)
        return not self.thread.is_alive()

    def require_end(self) -> None:
        """Raise SandboxUnavailable if the call does not return although its interpreter is gone.

        In that case the connection holds back the answer, not the candidate.
        """
        assert self.thread is not None
        self.thread.join(END_SECONDS)
        if self.thread.is_alive():
            raise SandboxUnavailable(
                f"no answer to a cell in {self.limit:g} s, and none within {END_SECONDS:g} s of its interpreter's end"
            )

    def _run(self) -> None:
        try:
            self.result = run_code(
                self.sandbox,
                self.code,
                context=self.context,
                # Only so that a thread whose interpreter is gone does not wait forever.
                timeout=MAX_LIMITS * self.limit + 60,
                on_stdout=self._on_stdout,
                on_stderr=self._on_stderr,
                on_result=self._on_result,
            )
        except BaseException as error:
            self.failure = error

    def _on_stdout(self, message: OutputMessage) -> None:
        self._count(message.line)
        self.shown.append(("stdout", message.line))

    def _on_stderr(self, message: OutputMessage) -> None:
        self._count(message.line)
        self.stderr.append(message.line)

    def _on_result(self, result: Result) -> None:
        forms = (result.text, result.html, result.markdown, result.latex, result.png, result.svg)
        self._count(*(text for text in forms if text))
        if isinstance(reading := (result.extra or {}).get(figures.MIME), str):
            self._count(reading)
            self.readings.append(reading)
        if result.chart is not None:
            self.charts.append(result.chart.to_dict())
        if image := result.png or result.jpeg or result.svg:
            self.images.append(image)  # its text only names the kind of object
        elif (text := text_shown(result)) is not None:
            self.shown.append(("value" if result.is_main_result else "display", text))

    def _count(self, *texts: str) -> None:
        self.size += sum(map(len, texts))
        if self.size > OUTPUT_LIMIT:
            raise _OutputFloodError

    @property
    def has_ended_interpreter(self) -> bool:
        return self.failure is not None or (self.result.error is not None and self.result.error.name in _ENDINGS)

    @property
    def has_never_run(self) -> bool:
        """Whether the sandbox says that the code has not begun: it has no such context, or could not start one."""
        if self.failure is not None:
            from e2b import NotFoundException

            return isinstance(self.failure, NotFoundException)
        if self.result is None or self.result.execution_count is not None:
            return False
        # Candidates can give their exceptions any name, but only once they run.
        return self.result.error is not None and self.result.error.name in (_REFUSED, _UNAVAILABLE)

    def concluded(self) -> Cell:
        """Return the cell of a call that returned. Raises SandboxUnavailable if it says nothing about the code."""
        if isinstance(self.failure, _OutputFloodError):
            return self.cell(Verdict.RUNTIME_ERROR, f"put out more than {OUTPUT_LIMIT:,} characters")
        if type(self.failure).__name__ in CUT_OFF and self._is_context_lost():
            return self.cell(Verdict.RUNTIME_ERROR, "the interpreter died")
        if self.failure is not None:
            with sandbox_failures():
                raise self.failure
        error = self.result.error
        if self.result.execution_count is None:
            # The cell never ran, or its answer was cut off.
            if error is not None and error.name == _REFUSED:
                raise SandboxSpoilt(one_line(error.value, 300))
            if error is None or error.name == _UNAVAILABLE:
                raise SandboxUnavailable(one_line(error.value, 300) if error else "an answer has no beginning")
        if error is None or (error.name == "SystemExit" and error.value in _SUCCESS):
            return self.cell()
        return self.cell(_failure_verdict(error.name, error.traceback), _failure_reason(error.name, error.value))

    def _is_context_lost(self) -> bool:
        """Whether the sandbox lives on without the context: the candidate ended the server of interpreters."""
        from e2b import SandboxException

        with sandbox_failures():
            try:
                return self.context.id not in {context.id for context in self.sandbox.list_code_contexts()}
            except SandboxException as error:
                if "port is not open" in str(error) and self.sandbox.is_running():
                    return True
                raise

    def cell(self, verdict: Verdict | None = None, reason: str = "") -> Cell:
        error = self.result.error if self.result is not None else None
        stderr = "".join(self.stderr)
        if error is not None:
            line_break = "\n" if stderr and not stderr.endswith("\n") else ""
            stderr += line_break + _HEADING.sub(r"\1\n\2\n", error.traceback)
        count = self.result.execution_count if self.result is not None else None
        images, charts, readings = tuple(self.images), tuple(self.charts), tuple(self.readings)
        return Cell(tuple(self.shown), stderr, self.duration, verdict, reason, count, images, charts, readings)


END_SECONDS: Final = 60.0
"""How long a cell's answer may take after its interpreter was ended."""

# httpx raises these if an answer ends in the middle.
CUT_OFF: Final = ("ReadError", "RemoteProtocolError")

# Names of the errors by which our server says that no interpreter is available.
_UNAVAILABLE: Final = "ContextUnavailable"

_REFUSED: Final = "ContextRefused"

# Names of the errors by which E2B's server and ours say that the interpreter's process is gone.
_ENDINGS: Final = ("ContextRestarting", "UnexpectedEndOfExecution", "MemoryLimitExceeded")

# IPython gives a traceback's rule, heading and frames as lines without line breaks, and E2B's server joins them so.
_HEADING: Final = re.compile(r"\A((?:\x1b\[[0-9;]*m)*-{60,80})(.{1,300}?Traceback \(most recent call last\))(?=[^\n])")

# IPython raises the last one for a cell that ends too early, from Python 3.13 on.
_SYNTAX: Final = ("SyntaxError", "IndentationError", "TabError", "_IncompleteInputError")

# Arguments of `sys.exit` that mean success.
_SUCCESS: Final = ("", "None", "0", "False")

_MEMORY: Final = ("MemoryError", "MemoryLimitExceeded")

MEMORY_USED_UP: Final = "the sandbox's memory is used up"


def _failure_verdict(name: str, traceback: str) -> Verdict:
    if name in _MEMORY:
        return Verdict.MEMORY
    # Without frames, the cell itself did not compile; with them, code that it ran compiled another text.
    if name in _SYNTAX and "Traceback (most recent call last)" not in traceback:
        return Verdict.COMPILE_ERROR
    return Verdict.RUNTIME_ERROR


def _failure_reason(name: str, value: str) -> str:
    if name in ("ContextRestarting", "UnexpectedEndOfExecution"):
        return "the interpreter ended"
    if name == "MemoryLimitExceeded":
        return MEMORY_USED_UP
    return one_line(f"{name}: {value}" if value else name, 300)
