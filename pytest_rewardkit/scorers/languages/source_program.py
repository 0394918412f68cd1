"""Runs a candidate in a language other than Python: builds its source, if necessary, and runs it as a program."""

from __future__ import annotations

import re
import shlex
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, UnscoredError
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.running.call_evidence import note_code, note_output
from pytest_rewardkit.scorers.running.command_run import run_command
from pytest_rewardkit.scorers.running.evaluation import Answer
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.scratch import scratch_path
from pytest_rewardkit.scorers.running.tenants import moves_in
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.languages.table import Language
    from pytest_rewardkit.scorers.running.command_run import CommandRun

HOME: Final = "/home/user"
_LOOKING_SECONDS: Final = 30.0
_SIGNALS: Final = 128
_LAST_SIGNAL: Final = 64
# "error: expected ;", "TypeError: x is not", "main.rb:1: no (RuntimeError)", "panic: no", "thread panicked at".
_TELLING: Final = re.compile(
    r"^(?!\s*(?:throw|raise)\b).*(?:(?i:\berror\b)|\b\w*(?:Error|Exception)\b|\bpanic(?:ked)?\b)"
)


class SourceProgram:
    """A candidate's source in a sandbox, built once and run as often as asked. A context manager.

    Parameters:
        sandbox: where it runs, in the home folder.
        source: the candidate.
        language: what it is written in.
    """

    def __init__(self, sandbox: Sandbox, source: str, language: Language) -> None:
        self._sandbox = sandbox
        self._source = source
        self._language = language
        self._folder = scratch_path()
        self._built: Answer | None = None
        note_code(source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with suppress(SandboxUnavailable), sandbox_failures():
            again(lambda: self._sandbox.files.remove(self._folder))

    def run(self, stdin: str | bytes = b"", *, limit: float) -> Answer:
        """Run it with `stdin` to read, for at most `limit` seconds; return what it printed, or why there is no output.

        Raises SandboxUnavailable, and UnscoredError if the sandbox lacks what the language needs.
        """
        if self._built is None:
            self._built = self._build()
        if self._built.verdict is not None:
            return self._built
        path = f"{self._folder}/stdin"
        data = stdin.encode("utf-8", "surrogatepass") if isinstance(stdin, str) else stdin
        with sandbox_failures():
            again(lambda: self._sandbox.files.write(path, data))
        begun = time.monotonic()
        moves_in(self._sandbox)
        run = self._run(f"exec {self._command(self._language.run)} <{shlex.quote(path)}", limit)
        answer = self._answer(run, time.monotonic() - begun)
        note_output(answer.stdout, answer.stderr)
        return answer

    def _build(self) -> Answer:
        language = self._language = self._one_that_runs(self._language)
        data = self._source.encode("utf-8", "surrogatepass")
        with sandbox_failures():
            again(lambda: self._sandbox.files.write(self._file, data))
        if not language.build:
            return Answer()
        run = self._run(self._command(language.build), language.build_time_limit, self._folder)
        if run.verdict is Verdict.TIMEOUT:
            return Answer(verdict=Verdict.COMPILE_ERROR, reason=f"the build {run.reason}")
        if run.status == 0:
            return Answer()
        if language.version and self._run(f"{language.version} >/dev/null 2>&1", _LOOKING_SECONDS).status != 0:
            raise UnscoredError(f"the compiler of {language.name} does not work in the sandbox: {_last(run)}")
        said = self._without_folder([*run.stdout, *run.stderr])
        reason = _telling_line(said) or run.reason or "no output"
        return Answer(verdict=Verdict.COMPILE_ERROR, reason=reason, stderr=said)

    def _one_that_runs(self, language: Language) -> Language:
        """Return the language, or its substitute. Raises UnscoredError if the sandbox has neither."""
        lacking = []
        way: Language | None = language
        while way is not None:
            missing = next((it for it in way.programs if not self._has(it)), None)
            if missing is None:
                return way
            lacking.append(missing.split()[0])
            way = way.otherwise
        raise UnscoredError(f"the sandbox has no {' or '.join(lacking)}, which {language.name} needs")

    def _has(self, needed: str) -> bool:
        is_word = re.fullmatch(r"[\w.+/-]+", needed)
        looked = f"command -v {needed}" if is_word else needed
        return self._run(f"{looked} >/dev/null 2>&1", _LOOKING_SECONDS).status == 0

    @property
    def _file(self) -> str:
        return f"{self._folder}/{self._language.file_stem(self._source)}.{self._language.extension}"

    def _answer(self, run: CommandRun, duration: float) -> Answer:
        verdict, reason = run.verdict, run.reason
        said = self._without_folder(run.stderr)
        if verdict is None and run.status:
            verdict = Verdict.RUNTIME_ERROR
            signal = run.reason if run.status < 0 else _signal_of_shell(run.status)
            said_last = _telling_line(said)
            if signal:
                reason = f"the program was ended by {signal}" + (f": {said_last}" if said_last else "")
            else:
                reason = said_last or f"the program ended with status {run.status}"
        return Answer(stdout="".join(run.stdout), stderr=said, verdict=verdict, reason=reason, duration=duration)

    def _without_folder(self, texts: Iterable[str]) -> str:
        return "".join(texts).replace(f"{self._folder}/", "")

    def _command(self, command: str) -> str:
        main = self._language.main_name(self._source)
        return command.format(file=self._file, folder=self._folder, program=f"{self._folder}/program", main=main)

    def _run(self, command: str, limit: float, cwd: str = HOME) -> CommandRun:
        return run_command(self._sandbox, command, cwd=cwd, envs={}, limit=limit)


def _signal_of_shell(status: int) -> str:
    """What a shell means by a status that stands for a signal; "" for any other status."""
    return f"signal {status - _SIGNALS}" if _SIGNALS < status <= _SIGNALS + _LAST_SIGNAL else ""


def _telling_line(said: str) -> str:
    """Return the line that says what is wrong: the first that names an error, or else the last; "" if there is none."""
    lines = [line for line in said.splitlines() if line.strip()]
    place = next((place for place, line in enumerate(lines) if _TELLING.search(line)), len(lines) - 1)
    if not lines:
        return ""
    told = lines[place : place + 2] if lines[place].rstrip().endswith(":") else lines[place : place + 1]
    return one_line(" ".join(told), 300)


def refuse_python_only(language: Language, **options: object) -> None:
    """Raise RewardkitUsageError for options that only apply to Python."""
    for name, value in options.items():
        if value:
            raise RewardkitUsageError(f"{name}= is for candidates in Python, and this one is in {language.name}")


def _last(run: CommandRun) -> str:
    lines = [line for line in "".join([*run.stdout, *run.stderr]).splitlines() if line.strip()]
    return one_line(lines[-1], 300) if lines else f"status {run.status}"
