"""Running cells of a candidate in a sandbox, each under an exact limit of time (counted_time.py), on any provider."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, Self

from pytest_rewardkit.errors import RewardkitUsageError, SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.failures import is_refusal, says_nothing
from pytest_rewardkit.scorers.guest import figures
from pytest_rewardkit.scorers.running.counted_time import MAX_LIMITS, CountedTime
from pytest_rewardkit.scorers.running.scratch import scratch_path
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType, TracebackType

    from e2b_code_interpreter import Context, OutputMessage, Result, Sandbox

OUTPUT_LIMIT: Final = 32_000_000
"""Characters that a cell may send to the host, shown objects included; beyond it the cell is ended."""

# The SDK takes most of a second to import. Test modules import scorers while they are collected, so it waits for use.


@contextmanager
def sandbox_failures() -> Iterator[None]:
    """Turn what the SDK raises for a lost sandbox, connection or quota into SandboxUnavailable, with the cause.

    What says that the sandbox itself refused becomes SandboxSpoilt.
    """
    try:
        yield
    except Exception as error:
        refused = is_refusal(error)
        if not refused and not says_nothing(error):
            raise
        cause = f"{type(error).__name__}: {one_line(str(error), 300)}"
        raise (SandboxSpoilt if refused else SandboxUnavailable)(cause) from error


@dataclass(frozen=True, slots=True)
class Cell:
    """What running a cell came to.

    Parameters:
        shown: what it printed and displayed, in order: ("stdout" or "display" or "value", text).
        stderr: what it wrote there, and the traceback if an exception ended it.
        duration: seconds on the host's clock.
        verdict: why it failed; None when it ran to its end.
        reason: one sentence about the failure.
        count: the interpreter's number for this execution.
        images: the images that it displayed: PNG or JPEG in base64, or SVG.
        charts: E2B's data of the charts among them, as JSON.
        readings: our own of the figures among them (figures.py), where the interpreter was asked for these.
    """

    shown: tuple[tuple[str, str], ...]
    stderr: str
    duration: float
    verdict: Verdict | None = None
    reason: str = ""
    count: int | None = None
    images: tuple[str, ...] = ()
    charts: tuple[dict[str, Any], ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def stdout(self) -> str:
        return "".join(text for kind, text in self.shown if kind == "stdout")

    @property
    def value(self) -> str | None:
        """The text of the cell's last expression, as the interpreter shows it; None without one."""
        return next((text for kind, text in self.shown if kind == "value"), None)

    def transcript(self, value: str | None = None) -> str:
        """Everything that was printed and shown, in order, what is shown on lines of its own.

        `value` is put in place of the last expression's text, if given.
        """
        text = ""
        for kind, piece in self.shown:
            if kind == "stdout":
                text += piece
                continue
            if text and not text.endswith("\n"):
                text += "\n"
            text += (value if kind == "value" and value is not None else piece) + "\n"
        return text


class Interpreter:
    """An interpreter of its own for one candidate, in a sandbox that it may share.

    A context manager: on leaving, the interpreter's state is gone and the sandbox is as before, but for its files.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        if not hasattr(sandbox, "run_code") or iscoroutinefunction(sandbox.run_code):
            kind = type(sandbox)
            raise RewardkitUsageError(
                f"scorers take an e2b_code_interpreter.Sandbox, not {kind.__module__}.{kind.__qualname__}"
            )
        self._sandbox = sandbox
        self._context: Context | None = None
        self._number = 0
        """That of the last cell."""
        self.guest_modules: set[ModuleType] = set()
        """Those that the interpreter has (shipping.py); a fresh one has none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with suppress(SandboxUnavailable):  # gone already: nothing to clear away, and the scorer has what it needs
            self.discard()

    @property
    def alive(self) -> bool:
        """Whether there is state: something ran, and neither a deadline nor a crash has ended the interpreter since."""
        return self._context is not None

    def discard(self) -> None:
        """End the interpreter with all its state; the next cell runs in a fresh one. Raises SandboxUnavailable."""
        context, self._context = self._context, None
        self.guest_modules.clear()
        if context is not None:
            with sandbox_failures():
                again(lambda: self._remove(context))

    def _remove(self, context: Context) -> None:
        from e2b import NotFoundException

        with suppress(NotFoundException):  # it is gone already, perhaps by a request of which no answer came
            self._sandbox.remove_code_context(context)

    def start(self) -> Context:
        """Start the interpreter, unless there is one already. Raises SandboxUnavailable."""
        if self._context is None:
            with sandbox_failures():
                self._context = again(self._sandbox.create_code_context)
            self._number = 0
        return self._context

    def deposit(self, text: str) -> str:
        """Store a text as a file in the sandbox, and return its path. Raises SandboxUnavailable."""
        path = scratch_path()
        with sandbox_failures():
            again(lambda: self._sandbox.files.write(path, text))
        return path

    def run(self, code: str, *, limit: float) -> Cell:
        """Run one cell.

        Parameters:
            limit: seconds that count until the cell is ended, with the interpreter.

        Raises SandboxUnavailable when the sandbox or the way to it is lost, and nothing can be said about the code.
        """
        try:
            code.encode()
        except UnicodeEncodeError as error:  # a lone surrogate cannot even be sent
            reason = one_line(f"SyntaxError: {error}", 300)
            return Cell((), f"{reason}\n", 0.0, Verdict.COMPILE_ERROR, reason)
        try:
            return self._ran(code, limit)
        except SandboxSpoilt:
            raise
        except SandboxUnavailable:
            if not self._has_nothing_begun():
                raise
        return self._ran(code, limit)

    def _ran(self, code: str, limit: float) -> Cell:
        execution = _Execution(self._sandbox, self.start(), code, limit)
        if not execution.finished_in_time():
            self.discard()
            execution.require_end()
            return execution.cell(Verdict.TIMEOUT, f"took longer than {limit:g} s")
        cell = execution.concluded()
        self._number = cell.count or self._number
        if execution.has_ended_interpreter:
            self.discard()
        return cell

    def _has_nothing_begun(self) -> bool:
        """Whether no cell has begun since the last one that was answered: the interpreter numbers those that begin."""
        next_number = self._number + 1
        for _ in range(PROBES):
            if self._context is None:
                return False
            probe = _Execution(self._sandbox, self._context, "pass", PROBE_SECONDS)
            if not probe.finished_in_time():
                return False
            with suppress(SandboxUnavailable):
                cell = probe.concluded()
                self._number = cell.count or self._number
                return cell.verdict is None and cell.count == next_number
        return False


class _OutputFloodError(Exception):
    pass


@dataclass(slots=True)
class _Execution:
    """One call of `run_code`, in a thread: its own time-outs fire late, and not at all while a candidate prints."""

    sandbox: Sandbox
    context: Context
    code: str
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
        """Raise SandboxUnavailable when the call does not come back though its interpreter is gone.

        Then it is not the candidate that has kept the answer, but the way to it.
        """
        assert self.thread is not None
        self.thread.join(END_SECONDS)
        if self.thread.is_alive():
            raise SandboxUnavailable(
                f"no answer to a cell in {self.limit:g} s, and none within {END_SECONDS:g} s of its interpreter's end"
            )

    def _run(self) -> None:
        try:
            self.result = self.sandbox.run_code(
                self.code,
                context=self.context,
                # Only so that a thread whose interpreter is gone does not wait for ever.
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
        self._count(*(text for text in (result.text, result.html, result.png, result.svg) if text))
        if isinstance(reading := (result.extra or {}).get(figures.MIME), str):
            self._count(reading)
            self.readings.append(reading)
        if result.chart is not None:
            self.charts.append(result.chart.to_dict())
        if image := result.png or result.jpeg or result.svg:
            self.images.append(image)  # its text only names the kind of object
        elif result.text is not None:
            self.shown.append(("value" if result.is_main_result else "display", result.text))

    def _count(self, *texts: str) -> None:
        self.size += sum(map(len, texts))
        if self.size > OUTPUT_LIMIT:
            raise _OutputFloodError

    @property
    def has_ended_interpreter(self) -> bool:
        return self.failure is not None or (self.result.error is not None and self.result.error.name in _ENDINGS)

    def concluded(self) -> Cell:
        """What a call that came back says. Raises SandboxUnavailable when it says nothing about the code."""
        if isinstance(self.failure, _OutputFloodError):
            return self.cell(Verdict.RUNTIME_ERROR, f"put out more than {OUTPUT_LIMIT:,} characters")
        if type(self.failure).__name__ in CUT_OFF and self._is_context_lost():
            return self.cell(Verdict.RUNTIME_ERROR, "the interpreter died")
        if self.failure is not None:
            with sandbox_failures():
                raise self.failure
        error = self.result.error
        if self.result.execution_count is None:
            # It never ran. Candidates can give their exceptions any name, but only when they run.
            if error is not None and error.name == _REFUSED:
                raise SandboxSpoilt(one_line(error.value, 300))
            if error is None or error.name == _UNAVAILABLE:
                raise SandboxUnavailable(one_line(error.value, 300) if error else "an answer has no beginning")
        if error is None or (error.name == "SystemExit" and error.value in _SUCCESS):
            return self.cell()
        return self.cell(_failure_verdict(error.name, error.traceback), _failure_reason(error.name, error.value))

    def _is_context_lost(self) -> bool:
        """Whether the sandbox goes on without the context: its server of interpreters was ended, by the candidate."""
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


END_SECONDS: Final = 20.0
"""How long the answer to a cell may take once its interpreter was ended."""

PROBES: Final = 2
PROBE_SECONDS: Final = 2.0
"""How long an interpreter may take to tell what has begun in it; what takes that long has begun."""

# What httpx raises when an answer ends in its middle.
CUT_OFF: Final = ("ReadError", "RemoteProtocolError")

# The names of the errors by which our server says that there is no interpreter to be had.
_UNAVAILABLE: Final = "ContextUnavailable"
_REFUSED: Final = "ContextRefused"

# Names of errors by which servers say that the interpreter's process is gone: E2B's and ours.
_ENDINGS: Final = ("ContextRestarting", "UnexpectedEndOfExecution", "MemoryLimitExceeded")
# IPython gives a traceback's rule, heading and frames as lines without line breaks, and E2B's server joins them so.
_HEADING: Final = re.compile(r"\A((?:\x1b\[[0-9;]*m)*-{60,80})(.{1,300}?Traceback \(most recent call last\))(?=[^\n])")
# The last is what IPython makes of a cell that ends too early, from Python 3.13 on.
_SYNTAX: Final = ("SyntaxError", "IndentationError", "TabError", "_IncompleteInputError")
# What `sys.exit` gives who wants to say that all is well.
_SUCCESS: Final = ("", "None", "0", "False")
_MEMORY: Final = ("MemoryError", "MemoryLimitExceeded")
MEMORY_USED_UP: Final = "the sandbox's memory is used up"


def _failure_verdict(name: str, traceback: str) -> Verdict:
    if name in _MEMORY:
        return Verdict.MEMORY
    # Without frames the cell itself did not compile; with them, some code that it ran at a time compiled another text.
    if name in _SYNTAX and "Traceback (most recent call last)" not in traceback:
        return Verdict.COMPILE_ERROR
    return Verdict.RUNTIME_ERROR


def _failure_reason(name: str, value: str) -> str:
    if name in ("ContextRestarting", "UnexpectedEndOfExecution"):
        return "the interpreter ended"
    if name == "MemoryLimitExceeded":
        return MEMORY_USED_UP
    return one_line(f"{name}: {value}" if value else name, 300)
