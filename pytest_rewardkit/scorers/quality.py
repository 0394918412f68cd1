"""Scores a candidate by what a linter and a type checker find in it, without running it."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, did_you_mean
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.sandboxes.beside import sandbox_beside
from pytest_rewardkit.scorers.checks.case import checked_time_limit
from pytest_rewardkit.scorers.checks.judging import readable
from pytest_rewardkit.scorers.looked_at import ANSWER, Questioned
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.running.call_evidence import note_code, with_evidence
from pytest_rewardkit.scorers.running.interpreter import Interpreter
from pytest_rewardkit.scorers.statements import Kind, Statements, does_something

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from e2b_code_interpreter import Sandbox

TOOLS: Final = {"lints": "ruff", "types": "mypy"}
"""The parts, and the tool for each."""

DEFAULT_LINTS: Final = ("E4", "E7", "E9", "F")
TIME_LIMIT: Final = 60.0
MAX_SHOWN: Final = 10
OUTPUT_LIMIT: Final = 20_000_000

_PRAGMA: Final = re.compile(
    r"#[#\s]*(?:(?:type|mypy|pyright|ruff|flake8|pylint|isort|fmt|yapf)\s*:|noqa|nosec)", re.IGNORECASE
)

# -I: imports nothing that a candidate has left in the home or the working directory.
_RUN: Final = f"""
def _run(arguments, path):
    import json, subprocess, sys, tempfile
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-I", "-m", *arguments, path], cwd=folder, capture_output=True, text=True, errors="replace"
        )
    print(json.dumps([done.returncode, done.stdout[:{OUTPUT_LIMIT}], done.stderr[-2000:]]))
"""


class QualityOptions(TypedDict, total=False):
    """The options of `score_quality`, for functions that pass them on."""

    parts: Sequence[str]
    select: Sequence[str]
    strict_types: bool
    time_limit: float
    extract: str


@dataclass(frozen=True, slots=True)
class _Finding:
    """A tool's finding about a statement; equal findings about statements of one kind count as one."""

    line: int
    code: str
    message: str
    kind: Kind | None

    def __str__(self) -> str:
        return f"line {self.line}: {self.code} {self.message}"


@with_evidence
def score_quality(
    sandbox: Sandbox,
    candidate: str,
    *,
    parts: Sequence[str] = tuple(TOOLS),
    select: Sequence[str] = DEFAULT_LINTS,
    strict_types: bool = False,
    time_limit: float = TIME_LIMIT,
    extract: str = "auto",
) -> Reward:
    """Return the reward of a candidate's code as text: the share of its statements without a finding.

    Each part is worth max(0, 1 - findings / statements), as in Pylint's evaluation. Only *distinct* ones count:
    statements that differ only in their own names and constants count once, so do equal findings about them, and a
    statement that does nothing does not count. Comments that tell the tools to ignore code are removed first, and no
    configuration file is read. A statement that mypy does not check is a finding: unreachable code, ``@no_type_check``,
    code under ``if not TYPE_CHECKING`` or after ``assert False``.

    The figure can be gamed without better code: by more code without findings, since it is a share; by ``Any``, casts,
    ``getattr`` and text passed to ``exec``, in which neither tool finds anything; and by clean code that does nothing
    useful. So give it little weight, beside a scorer that runs the candidate.

    Parameters:
        sandbox: the tools run in a fresh sandbox of the same template, from that template's packages. The candidate
            does not run, and code that ran in `sandbox` before cannot reach what the tools read.
        candidate: code, or a model's response that holds it.
        parts: ``lints`` by ruff, ``types`` by mypy.
        select: ruff's rules, by code or prefix.
        strict_types: whether mypy runs as strictly as with ``--strict``.
        time_limit: seconds for each tool.
        extract: which of several code blocks is the candidate (extract.py).

    Returns a reward with a part for each tool; unscored, with the cause, if no sandbox is available or it lacks the
    tool. Raises RewardkitUsageError for wrong arguments.
    """
    checked_time_limit(time_limit)
    for name in parts:
        if name not in TOOLS:
            raise RewardkitUsageError(f"no part {name!r}{did_you_mean(name, TOOLS)}")
    if not parts:
        raise RewardkitUsageError(f"parts must name at least one of {', '.join(TOOLS)}")
    extraction = find_code(candidate, policy=extract)
    note_code(extraction.code)
    if not extraction.code:
        return _all(parts, Verdict.NO_CODE, extraction.how)
    try:
        source = _JudgedSource(extraction.code)
    except (SyntaxError, ValueError, MemoryError, RecursionError, tokenize.TokenError) as error:
        return _all(parts, Verdict.COMPILE_ERROR, f"{type(error).__name__}: {error}")
    if not source.statements.kinds:
        return _all(parts, Verdict.NO_CODE, "no statement does anything")
    commands = {"lints": _ruff(select), "types": _mypy(strict=strict_types)}
    try:
        lifetime = round(len(parts) * time_limit) + 60
        with sandbox_beside(sandbox, timeout=lifetime) as beside, Interpreter(beside) as interpreter:
            judged = [_judged(interpreter, name, commands[name], source, time_limit) for name in parts]
    except SandboxUnavailable as error:
        return Reward.unscored(str(error))
    return Reward.from_parts(judged, reason=f"code judged: {extraction.how}")


class _JudgedSource:
    """A candidate's code in the form that each tool gets, and the places of each tool's findings in it."""

    def __init__(self, code: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.statements = Statements(ast.parse(code))
            # A `break` outside a loop, for example, parses but does not compile.
            compile(code, "<candidate>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        self._questioned = Questioned(code)
        self._linted = without_pragmas(code)
        self._lines = self._linted.split("\n")

    def text_for(self, tool: str) -> str:
        return self._linted if tool == "ruff" else self._questioned.text

    def findings(self, tool: str, stdout: str) -> list[_Finding]:
        return list(self._ruff_findings(stdout) if tool == "ruff" else self._mypy_findings(stdout))

    def _ruff_findings(self, text: str) -> Iterator[_Finding]:
        for item in _loaded(text, list):
            line, column = item["location"]["row"], item["location"]["column"]
            before = self._lines[line - 1][: column - 1] if line <= len(self._lines) else ""
            statement = self.statements.at(line, len(before.encode()))
            yield self._finding(statement, item["code"] or "syntax", item["message"], line)

    def _mypy_findings(self, text: str) -> Iterator[_Finding]:
        answered = set()
        for line in text.splitlines():
            if not line.startswith("{"):
                continue
            item = _loaded(line, dict)
            if item["severity"] == "error":
                if not _is_said_otherwise(item):
                    yield self._finding(self._questioned.at(item["line"]), f"[{item['code']}]", item["message"])
            elif item["message"].startswith(ANSWER):
                answered.add(item["line"])
        for statement in self._questioned.passed_over(answered):
            if does_something(statement):
                yield self._finding(statement, "[unreachable]", "mypy does not look at it")
        for statement in self._questioned.decided:
            yield self._finding(statement, "[unreachable]", "mypy does not look at a part of it")

    def _finding(self, statement: ast.stmt | None, code: str, message: str, line: int = 0) -> _Finding:
        kind = None if statement is None else self.statements.kind(statement)
        return _Finding(line or (statement.lineno if statement is not None else 1), code, message, kind)


def without_pragmas(code: str) -> str:
    """Return `code` without comments for linters and type checkers; lines keep their numbers.

    Raises tokenize.TokenError or SyntaxError for code that is not Python.
    """
    lines = code.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and _PRAGMA.search(token.string):
            row, column = token.start
            ending = "\r" if lines[row - 1].endswith("\r") else ""
            lines[row - 1] = lines[row - 1][:column].rstrip() + ending
    return "\n".join(lines)


class _ToolFailedError(SandboxUnavailable):
    """A tool did not finish properly."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict


def _judged(interpreter: Interpreter, name: str, command: Sequence[str], source: _JudgedSource, limit: float) -> Part:
    tool = TOOLS[name]
    try:
        stdout, duration = _told(interpreter, tool, command, source.text_for(tool), limit)
    except _ToolFailedError as error:
        # Nothing of a candidate runs here. If the tool handles other code, this code is what stops it.
        _told(interpreter, tool, command, "pass\n", limit)
        return Part(name, 0.0, verdict=error.verdict, reason=readable(str(error)))
    return _rated(name, source, source.findings(tool, stdout), duration)


def _told(interpreter: Interpreter, tool: str, command: Sequence[str], text: str, limit: float) -> tuple[str, float]:
    """A tool's report about a text, and how long it took. Raises _ToolFailedError, SandboxUnavailable."""
    path = interpreter.deposit(text)
    cell = interpreter.run(f"{_RUN}_run({list(command)!r}, {path!r})", limit=limit)
    if cell.verdict is not None:
        raise _ToolFailedError(cell.verdict, f"{tool}: {cell.reason}")
    status, stdout, stderr = json.loads(cell.stdout)
    if f"No module named {tool}" in stderr:
        raise SandboxUnavailable(
            f"there is no {tool} in a fresh sandbox; pip install {tool} where it gets its packages"
        )
    if status not in (0, 1):
        reason = readable(f"{tool} ended with status {status}: {(stderr or stdout).strip()[-300:]}")
        raise _ToolFailedError(Verdict.RUNTIME_ERROR, reason)
    if len(stdout) >= OUTPUT_LIMIT:
        raise _ToolFailedError(Verdict.RUNTIME_ERROR, f"{tool} finds more than {OUTPUT_LIMIT:,} characters can tell")
    return stdout, cell.duration


def _rated(name: str, source: _JudgedSource, found: Iterable[_Finding], duration: float) -> Part:
    findings = sorted(found, key=lambda finding: finding.line)
    distinct, statements = _distinct(findings), len(source.statements.kinds)
    shown = [str(finding) for finding in findings[:MAX_SHOWN]]
    if len(findings) > MAX_SHOWN:
        shown.append(f"and {len(findings) - MAX_SHOWN:,} more")
    reason = f"{distinct} distinct findings in {statements} distinct statements" if findings else ""
    value = max(0.0, 1.0 - distinct / statements)
    return Part(name, value, reason=reason, actual=readable("\n".join(shown)) or None, duration=duration)


def _distinct(findings: Iterable[_Finding]) -> int:
    return len({(finding.code, finding.kind or finding.line) for finding in findings})


def _is_said_otherwise(item: dict[str, Any]) -> bool:
    """Whether a finding about reachability is counted per statement elsewhere, or is no fault in honest code."""
    if item["code"] == "redundant-expr":
        return not str(item["message"]).startswith("If condition")
    return item["code"] == "unreachable" and str(item["message"]).startswith("Statement is unreachable")


def _ruff(select: Sequence[str]) -> list[str]:
    return [
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--ignore-noqa",
        "--output-format=json",
        f"--select={','.join(select)}",
    ]


def _mypy(*, strict: bool) -> list[str]:
    options = ["--output=json", "--config-file=", "--cache-dir=/dev/null", "--ignore-missing-imports"]
    reach = ["--warn-unreachable", "--enable-error-code=redundant-expr"]
    return ["mypy", *options, *reach, "--strict" if strict else "--check-untyped-defs"]


def _loaded(text: str, kind: type) -> Any:
    try:
        data = json.loads(text)
    except ValueError:
        raise SandboxUnavailable("a tool's findings were cut off or are not JSON") from None
    if not isinstance(data, kind):
        raise SandboxUnavailable("a tool's findings have an unknown form")
    return data


def _all(parts: Sequence[str], verdict: Verdict, reason: str) -> Reward:
    return Reward.from_parts(Part(name, 0.0, verdict=verdict, reason=readable(reason)) for name in parts)
