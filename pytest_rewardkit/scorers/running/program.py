"""Runs a candidate as a program: in its own process, with real standard input, under an exact time limit."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import RewardkitUsageError, SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.failures import is_refusal
from pytest_rewardkit.scorers.guest import launcher
from pytest_rewardkit.scorers.running import cell_execution
from pytest_rewardkit.scorers.running.call_evidence import note_code, note_output
from pytest_rewardkit.scorers.running.cell_execution import MEMORY_USED_UP, OUTPUT_LIMIT
from pytest_rewardkit.scorers.running.counted_time import CountedTime
from pytest_rewardkit.scorers.running.deadline import Deadline
from pytest_rewardkit.scorers.running.evaluation import TELLING, Answer, with_what
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.protocol import VALUE, Refused, read
from pytest_rewardkit.scorers.running.scratch import scratch_path
from pytest_rewardkit.scorers.running.shipping import as_files
from pytest_rewardkit.scorers.running.tenants import moves_in
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import CommandHandle, Sandbox

KILLED: Final = 128 + 9
FOR_MEMORY: Final = "memory_limit_exceeded"
"""The local server's code for a program that it ended together with the whole sandbox."""

BEGUN: Final = "begun"
"""The file that exists once a program has been started."""


def run_program(
    sandbox: Sandbox,
    code: str,
    stdin: str | bytes = b"",
    *,
    limit: float,
    setup: str = "",
    before: Callable[[], None] | None = None,
    wants: str = VALUE,
) -> Answer:
    """Run `code` as a program in the sandbox's home folder, with `stdin` to read, for at most `limit` seconds.

    The input is a file, so `sys.stdin.buffer`, `open(0)` and seeking work as they do in a shell.

    Parameters:
        setup: code that runs first, in the same process, with the same time limit.
        before: called after the setup has run, before the program starts.
        wants: the form in which the last expression's value is wanted if nothing is printed (protocol.py).

    Returns what it printed and, if it printed nothing, the value of its last expression.
    Raises RewardkitUsageError for a setup that fails, and SandboxUnavailable.
    """
    note_code(code)
    contents = {
        **as_files((launcher, *TELLING)),
        f"{launcher.PROGRAM}.py": code,
        "stdin": stdin,
        **({"setup.py": setup} if setup else {}),
    }
    if before is not None and not setup:
        before()

    def ran() -> Answer:
        folder = scratch_path()
        files = [{"path": f"{folder}/{name}", "data": _bytes(content)} for name, content in contents.items()]
        with sandbox_failures():
            again(lambda: sandbox.files.write_files(files))
        try:
            return _ProgramRun(sandbox, folder, limit, bool(setup), before if setup else None, wants).answer()
        except SandboxSpoilt:
            raise
        except SandboxUnavailable as error:
            if not _has_not_begun(sandbox, folder):
                raise
            raise _NotBegunError(str(error)) from error
        finally:
            with suppress(SandboxUnavailable), sandbox_failures():
                again(lambda: sandbox.files.remove(folder))

    try:
        answer = ran()
    except _NotBegunError:
        answer = ran()
    note_output(answer.put_out, answer.stderr)
    return answer


class _NotBegunError(SandboxUnavailable):
    """The program was not started, and never will be."""


def _has_not_begun(sandbox: Sandbox, folder: str) -> bool:
    """Whether the program of a folder has not been started; after this call it cannot be."""
    aside = f"{folder}_"
    try:
        with sandbox_failures():
            # A request still on its way finds nothing to start.
            sandbox.files.rename(folder, aside)
            begun = again(lambda: sandbox.files.exists(f"{aside}/{BEGUN}"))
            again(lambda: sandbox.files.remove(aside))
    except SandboxUnavailable:
        return False
    return not begun


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content


@dataclass(slots=True)
class _ProgramRun:
    """One process, from its start to its end."""

    sandbox: Sandbox
    folder: str
    limit: float
    has_setup: bool
    before: Callable[[], None] | None
    wants: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    size: int = 0
    begun: float = field(default_factory=time.monotonic)
    started: float | None = None
    """When the program itself was started; None while the setup runs."""
    share: float = 1.0
    """The share of the time that counts."""

    def answer(self) -> Answer:
        """Run the program. Raises as `run_program` does."""
        if not self.has_setup:
            self.started = self.begun
        verdict, reason = self._ended()
        if self.started is None:
            raise RewardkitUsageError(f"the setup failed: {reason or 'it ended the program'}")
        duration = time.monotonic() - self.started
        # With a setup, both together have twice the time.
        if self.has_setup and duration * self.share > self.limit:
            verdict, reason = Verdict.TIMEOUT, f"took longer than {self.limit:g} s"
        printed, reported = self._parted()
        answer = Answer(stdout=printed, stderr="".join(self.stderr), verdict=verdict, reason=reason, duration=duration)
        return answer if printed or verdict is not None or not reported else self._valued(answer, reported)

    def _valued(self, answer: Answer, report: str) -> Answer:
        """The answer with the reported value of the last expression."""
        try:
            return with_what(answer, read(report, self.wants, may_raise=False))
        except Refused as error:
            reason = f"the value of the last expression is no proper answer: {error}"
            return replace(answer, verdict=Verdict.RUNTIME_ERROR, reason=reason)

    def _ended(self) -> tuple[Verdict | None, str]:
        from e2b import CommandExitException

        counted = CountedTime(self.sandbox, 2 * self.limit if self.has_setup else self.limit)
        with sandbox_failures():
            handle = self.sandbox.commands.run(
                f"true >{self.folder}/{BEGUN}; "
                f"exec python3 {self.folder}/launcher.py {self.nonce} {self.wants} 3<&0 <{self.folder}/stdin",
                background=True,
                stdin=self.has_setup,
                # The program is ended when its time is up. If even then no answer comes, the program does not cause it.
                timeout=counted.longest + cell_execution.END_SECONDS,
            )
            moves_in(self.sandbox)
            with Deadline(handle, counted) as deadline:
                try:
                    if not self._followed(handle):
                        handle.kill()
                        return Verdict.RUNTIME_ERROR, f"put out more than {OUTPUT_LIMIT:,} characters"
                    handle.wait()
                except Exception as error:
                    if deadline.has_ended_it():
                        return Verdict.TIMEOUT, f"took longer than {self.limit:g} s"
                    if not isinstance(error, CommandExitException):
                        raise
                    if FOR_MEMORY in (error.error or ""):
                        return Verdict.MEMORY, MEMORY_USED_UP
                    return _failure(error.exit_code, "".join(self.stderr))
                finally:
                    self.share = counted.share
        return None, ""

    def _followed(self, handle: CommandHandle) -> bool:
        """Collect the program's output; False if it is too long."""
        for out, err, _ in handle:
            if out:
                self.stdout.append(out)
            if err:
                self.stderr.append(err)
            self.size += len(out or "") + len(err or "")
            if self.size > OUTPUT_LIMIT:
                return False
            if self.started is None:
                self._start_after_setup(handle)
        return True

    def _start_after_setup(self, handle: CommandHandle) -> None:
        """Let the program start once the setup is done; the setup's output does not count as the program's."""
        if f"{self.nonce}{launcher.SETUP_DONE}\n" not in "".join(self.stdout):
            return
        self.stdout.clear()
        self.stderr.clear()
        if self.before is not None:
            self.before()
        self.started = time.monotonic()
        _let_go(self.sandbox, handle.pid)

    def _parted(self) -> tuple[str, str]:
        """The program's output, and the launcher's report, which comes last."""
        printed, _, reported = "".join(self.stdout).partition(self.nonce)
        report, _, rest = reported.partition("\n")
        return printed + rest, report


def _failure(status: int, stderr: str) -> tuple[Verdict, str]:
    lines = stderr.rstrip().splitlines()
    last = lines[-1] if lines else ""
    if last.startswith("MemoryError"):
        return Verdict.MEMORY, "MemoryError"
    # For a script that does not compile, Python's report lacks the heading of a traceback.
    if last.startswith(("SyntaxError:", "IndentationError:", "TabError:")) and not any(
        line.startswith("Traceback (most recent call last)") for line in lines
    ):
        return Verdict.COMPILE_ERROR, one_line(last, 300)
    if status == KILLED:
        return Verdict.RUNTIME_ERROR, "the program was killed"
    return Verdict.RUNTIME_ERROR, one_line(last, 300) if last else f"the program ended with status {status}"


def _let_go(sandbox: Sandbox, pid: int) -> None:
    """Send the line that a launcher waits for; it reads only one."""
    try:
        again(lambda: sandbox.commands.send_stdin(pid, "\n"))
    except Exception as error:
        if not is_refusal(error):
            raise
        # It has ended, perhaps after a line that was never acknowledged; its own end tells how.
