"""Scores a candidate by what a linter and a type checker find in it, without running it."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable, did_you_mean
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.scorers.case import checked_time_limit
from pytest_rewardkit.scorers.extract import find_code
from pytest_rewardkit.scorers.interpreter import Interpreter
from pytest_rewardkit.scorers.judging import readable
from pytest_rewardkit.scorers.witness import saw_code, witnessed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from e2b_code_interpreter import Sandbox

TOOLS: Final = {"lints": "ruff", "types": "mypy"}
"""The parts there are, and the tool for each."""

DEFAULT_LINTS: Final = ("E4", "E7", "E9", "F")
TIME_LIMIT: Final = 60.0
MOST_SHOWN: Final = 10
OUTPUT_LIMIT: Final = 200_000

_PRAGMAS: Final = ("type:", "mypy:", "pyright:", "ruff:", "noqa", "flake8:", "pylint:")

# -I: nothing that a candidate has left in the home or the working directory is imported.
_RUN: Final = """
def _run(arguments, path, limit):
    import json, subprocess, sys, tempfile
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-I", "-m", *arguments, path], cwd=folder, capture_output=True, text=True, errors="replace"
        )
    print(json.dumps([done.returncode, done.stdout[:limit], done.stderr[-2000:]]))
"""


class QualityOptions(TypedDict, total=False):
    """The options of `score_quality`, for what passes them on."""

    parts: Sequence[str]
    select: Sequence[str]
    strict_types: bool
    time_limit: float
    extract: str


@dataclass(frozen=True, slots=True)
class _Finding:
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@witnessed
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
    """Return the reward of a candidate's code as text: what share of its statements is without a finding.

    Each part is worth max(0, 1 - findings / statements), as in Pylint's evaluation. Comments by which code tells the
    tools to look away are removed first, and no configuration file is read.

    Parameters
    ----------
    sandbox: where the tools run, from its own packages. The candidate does not run.
    candidate: code, or a model's response that holds it.
    parts: ``lints`` by ruff, ``types`` by mypy.
    select: ruff's rules, by code or prefix.
    strict_types: whether mypy is as strict as ``--strict`` makes it.
    time_limit: seconds for each tool.
    extract: which of several code blocks is the candidate (extract.py).

    Returns a reward with a part for each tool; unscored, with the cause, when the sandbox is lost or lacks the tool.
    Raises RewardkitUsageError for wrong arguments.
    """
    checked_time_limit(time_limit)
    for name in parts:
        if name not in TOOLS:
            raise RewardkitUsageError(f"no part {name!r}{did_you_mean(name, TOOLS)}")
    if not parts:
        raise RewardkitUsageError(f"parts must name at least one of {', '.join(TOOLS)}")
    extraction = find_code(candidate, policy=extract)
    saw_code(extraction.code)
    if not extraction.code:
        return _all(parts, Verdict.NO_CODE, extraction.how)
    try:
        statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(extraction.code)))
        code = without_pragmas(extraction.code)
    except (SyntaxError, ValueError, MemoryError, RecursionError, tokenize.TokenError) as error:
        return _all(parts, Verdict.COMPILE_ERROR, f"{type(error).__name__}: {error}")
    commands = {"lints": _ruff(select), "types": _mypy(strict=strict_types)}
    try:
        with Interpreter(sandbox) as interpreter:
            path = interpreter.deposit(code)
            judged = [_judged(interpreter, name, commands[name], path, statements, time_limit) for name in parts]
    except SandboxUnavailable as error:
        return Reward.unscored(str(error))
    return Reward.from_parts(judged, reason=f"scored {extraction.how}")


def without_pragmas(code: str) -> str:
    """Return `code` without the comments that speak to linters and type checkers; lines keep their numbers.

    Raises tokenize.TokenError or SyntaxError for what is not Python.
    """
    lines = code.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and token.string.lstrip("# \t").lower().startswith(_PRAGMAS):
            row, column = token.start
            ending = lines[row - 1][len(lines[row - 1].rstrip("\r\n")) :]
            lines[row - 1] = lines[row - 1][:column].rstrip() + ending
    return "".join(lines)


def _judged(
    interpreter: Interpreter, name: str, command: Sequence[str], path: str, statements: int, limit: float
) -> Part:
    tool = TOOLS[name]
    call = f"_run({list(command)!r}, {path!r}, {OUTPUT_LIMIT})"
    cell = interpreter.run(_RUN + call, limit=limit)
    if cell.verdict is not None:
        raise SandboxUnavailable(f"{tool}: {cell.reason}")
    status, stdout, stderr = json.loads(cell.stdout)
    if f"No module named {tool}" in stderr:
        raise SandboxUnavailable(f"there is no {tool} in the sandbox; pip install {tool} where it gets its packages")
    if status not in (0, 1):
        raise SandboxUnavailable(readable(f"{tool} ended with status {status}: {stderr.strip()[-300:]}"))
    findings = list(_ruff_findings(stdout) if tool == "ruff" else _mypy_findings(stdout))
    value = max(0.0, 1.0 - len(findings) / max(statements, 1))
    shown = [str(finding) for finding in findings[:MOST_SHOWN]]
    if len(findings) > MOST_SHOWN:
        shown.append(f"and {len(findings) - MOST_SHOWN:,} more")
    reason = f"{len(findings)} findings in {statements} statements" if findings else ""
    return Part(name, value, reason=reason, actual=readable("\n".join(shown)) or None, duration=cell.duration)


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
    return ["mypy", *options, "--strict" if strict else "--check-untyped-defs"]


def _ruff_findings(text: str) -> Iterator[_Finding]:
    for item in _loaded(text, list):
        yield _Finding(item["location"]["row"], f"{item['code'] or 'syntax'} {item['message']}")


def _mypy_findings(text: str) -> Iterator[_Finding]:
    for line in text.splitlines():
        if line.startswith("{"):
            item = _loaded(line, dict)
            if item["severity"] == "error":
                yield _Finding(item["line"], f"{item['message']} [{item['code']}]")


def _loaded(text: str, kind: type) -> Any:
    try:
        data = json.loads(text)
    except ValueError:
        raise SandboxUnavailable("a tool's findings were cut off or are no JSON") from None
    if not isinstance(data, kind):
        raise SandboxUnavailable("a tool's findings have an unknown form")
    return data


def _all(parts: Sequence[str], verdict: Verdict, reason: str) -> Reward:
    return Reward.from_parts(Part(name, 0.0, verdict=verdict, reason=readable(reason)) for name in parts)
