"""Running a candidate as a program: a process of its own, with real standard input, under an exact time limit."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers.evaluation import Answer
from pytest_rewardkit.scorers.interpreter import MEMORY_USED_UP, OUTPUT_LIMIT, sandbox_failures
from pytest_rewardkit.scorers.witness import saw_output
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from e2b_code_interpreter import CommandHandle, Sandbox

KILLED: Final = 128 + 9
FOR_MEMORY: Final = "more memory than it is allowed"
"""What the local server says of a program that it ended with the whole sandbox."""


def run_program(sandbox: Sandbox, code: str, stdin: str | bytes, *, limit: float) -> Answer:
    """Run `code` as a script in the sandbox's home folder, with `stdin` to read, for at most `limit` seconds.

    The input is a file, so `sys.stdin.buffer`, `open(0)` and seeking work as in a shell. Raises SandboxUnavailable.
    """
    folder = f"/tmp/candidate-{secrets.token_hex(8)}"  # noqa: S108 - in the sandbox, which nobody shares
    with sandbox_failures():
        sandbox.files.write(f"{folder}/main.py", code.encode("utf-8", "surrogatepass"))
        sandbox.files.write(f"{folder}/stdin", stdin if isinstance(stdin, bytes) else stdin.encode())
    try:
        return _run(sandbox, folder, limit)
    finally:
        with suppress(SandboxUnavailable), sandbox_failures():
            sandbox.files.remove(folder)


def _run(sandbox: Sandbox, folder: str, limit: float) -> Answer:
    from e2b import CommandExitException, TimeoutException

    started = time.monotonic()
    stdout: list[str] = []
    stderr: list[str] = []
    verdict, reason = None, ""
    with sandbox_failures():
        try:
            handle = sandbox.commands.run(
                f"exec python3 {folder}/main.py < {folder}/stdin",
                background=True,
                # Modules that the test put beside the data are found, as they are by a script of the home folder.
                envs={"PYTHONPATH": "."},
                timeout=limit,
            )
            if not _collected(handle, stdout, stderr):
                handle.kill()
                verdict, reason = Verdict.RUNTIME_ERROR, f"put out more than {OUTPUT_LIMIT:,} characters"
            else:
                handle.wait()
        except CommandExitException as error:
            if FOR_MEMORY in (error.error or ""):
                verdict, reason = Verdict.MEMORY, MEMORY_USED_UP
            else:
                verdict, reason = _failure(error.exit_code, "".join(stderr))
        except TimeoutException as error:
            # Sub-classes tell of sandboxes that are gone.
            if type(error) is not TimeoutException or time.monotonic() - started < limit:
                raise
            verdict, reason = Verdict.TIMEOUT, f"took longer than {limit:g} s"
    saw_output("".join(stdout), "".join(stderr))
    answer = Answer(stdout="".join(stdout), stderr="".join(stderr), duration=time.monotonic() - started)
    return replace(answer, verdict=verdict, reason=reason)


def _collected(handle: CommandHandle, stdout: list[str], stderr: list[str]) -> bool:
    """Collect the program's output; False when it is too much."""
    size = 0
    for out, err, _ in handle:
        if out:
            stdout.append(out)
        if err:
            stderr.append(err)
        size += len(out or "") + len(err or "")
        if size > OUTPUT_LIMIT:
            return False
    return True


def _failure(status: int, stderr: str) -> tuple[Verdict, str]:
    lines = stderr.rstrip().splitlines()
    last = lines[-1] if lines else ""
    if last.startswith("MemoryError"):
        return Verdict.MEMORY, "MemoryError"
    # Python reports a script that does not compile without the heading that tracebacks have.
    if last.startswith(("SyntaxError:", "IndentationError:", "TabError:")) and not any(
        line.startswith("Traceback (most recent call last)") for line in lines
    ):
        return Verdict.COMPILE_ERROR, one_line(last, 300)
    if status == KILLED:
        return Verdict.RUNTIME_ERROR, "the program was killed"
    return Verdict.RUNTIME_ERROR, one_line(last, 300) if last else f"the program ended with status {status}"
