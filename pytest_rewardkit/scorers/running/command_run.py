"""Runs a command in a sandbox, under an exact time limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers.running import cell_execution
from pytest_rewardkit.scorers.running.cell_execution import MEMORY_USED_UP
from pytest_rewardkit.scorers.running.counted_time import CountedTime
from pytest_rewardkit.scorers.running.deadline import Deadline
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.program import FOR_MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2b_code_interpreter import CommandHandle, Sandbox

MAX_OUTPUT: Final = 16_000_000
"""Characters of output that a command may produce."""


@dataclass(slots=True)
class CommandRun:
    """The outcome of a command.

    Parameters:
        status: its exit status; None if it was stopped.
        verdict: why it was stopped.
        reason: one sentence; without a verdict, the sandbox's words about its end, such as "signal: aborted".
    """

    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    status: int | None = None
    verdict: Verdict | None = None
    reason: str = ""


def run_command(sandbox: Sandbox, command: str, *, cwd: str, envs: Mapping[str, str], limit: float) -> CommandRun:
    """Run a command for at most `limit` seconds. Raises SandboxUnavailable."""
    from e2b import CommandExitException

    run = CommandRun()
    counted = CountedTime(sandbox, limit)
    with sandbox_failures():
        handle = sandbox.commands.run(
            command,
            background=True,
            cwd=cwd,
            envs=dict(envs),
            timeout=counted.longest + cell_execution.END_SECONDS,
        )
        with Deadline(handle, counted) as deadline:
            try:
                if not _followed(handle, run):
                    handle.kill()
                    run.verdict = Verdict.RUNTIME_ERROR
                    run.reason = f"put out more than {MAX_OUTPUT:,} characters"
                    return run
                run.status = handle.wait().exit_code
            except Exception as error:
                if deadline.has_ended_it():
                    run.verdict, run.reason = Verdict.TIMEOUT, f"took longer than {limit:g} s"
                elif not isinstance(error, CommandExitException):
                    raise
                elif FOR_MEMORY in (error.error or ""):
                    run.verdict, run.reason = Verdict.MEMORY, MEMORY_USED_UP
                else:
                    run.status = error.exit_code
                    run.reason = (error.error or "") if run.status < 0 else ""  # the signal that ended it
    return run


def _followed(handle: CommandHandle, run: CommandRun) -> bool:
    size = 0
    for out, err, _ in handle:
        if out:
            run.stdout.append(out)
        if err:
            run.stderr.append(err)
        size += len(out or "") + len(err or "")
        if size > MAX_OUTPUT:
            return False
    return True
