"""Scores a candidate by the files that it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.scorers.cases import TIME_LIMIT
from pytest_rewardkit.scorers.checks.case import checked_time_limit
from pytest_rewardkit.scorers.checks.file_check import FileCheck, as_file_checks, judge_file, touched
from pytest_rewardkit.scorers.checks.judging import Matching, readable
from pytest_rewardkit.scorers.own_time import OwnTime
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.running.call_evidence import with_evidence
from pytest_rewardkit.scorers.running.program import run_program
from pytest_rewardkit.scorers.running.snapshot import Need, take_tree
from pytest_rewardkit.scorers.running.tenants import settled
from pytest_rewardkit.scorers.values.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.running.tree import Tree

HOME: Final = "/home/user"
NOTHING_ELSE: Final = "nothing else touched"


class FilesOptions(TypedDict, total=False):
    """The options of `score_files`, for functions that pass them on."""

    root: str
    nothing_else: bool
    setup: str
    time_limit: float
    compare: str | None
    rel_tol: float | None
    abs_tol: float | None
    similarity: str | None
    extract: str


@with_evidence
def score_files(
    sandbox: Sandbox,
    candidate: str,
    files: Iterable[FileCheck | Mapping[str, Any]],
    *,
    root: str = HOME,
    nothing_else: bool = False,
    setup: str = "",
    time_limit: float = TIME_LIMIT,
    compare: str | None = None,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
    similarity: str | None = None,
    extract: str = "auto",
) -> Reward:
    """Return the reward of a candidate: the weighted share of its files that are as they should be.

    The candidate runs as a program. The scorer reads the tree before it starts and after it has ended, through the
    sandbox's files API. A candidate that fails earns nothing, whatever it has written by then.

    Parameters:
        sandbox: where it runs, in its home folder; files that the test has put there stay.
        candidate: code, or a model's response with code in it.
        files: `FileCheck` objects, or mappings of their fields.
        root: the folder whose tree is looked at; paths are below it.
        nothing_else: add a part: no other file was made, changed or removed. Hidden files and ``__pycache__`` do not
            count.
        setup: code that runs before the candidate, in the same namespace, and before the scorer reads the tree.
        time_limit: seconds for the candidate.
        compare, rel_tol, abs_tol, similarity: how contents are compared (compare.py, tolerance.py, similarity.py).
        extract: which of several code blocks is the candidate (extract.py).

    Returns a reward that is unscored, with the cause, when the sandbox or the way to it is lost.
    Raises RewardkitUsageError for wrong arguments, and for a setup that fails.
    """
    checks = as_file_checks(files)
    checked_time_limit(time_limit)
    matching = Matching(compare, Tolerance(rel_tol, abs_tol), similarity)
    patterns = [check.pattern(root) for check in checks]
    names = [check.label for check in checks] + [NOTHING_ELSE] * nothing_else
    weights = [check.weight for check in checks] + [1.0] * nothing_else
    extraction = find_code(candidate, policy=extract)
    if not extraction.code:
        return _failed(names, weights, Verdict.NO_CODE, extraction.how)

    own_time = OwnTime()
    before: Tree = {}

    def matters(path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in patterns)

    def need_before(path: str) -> Need:
        return Need.DIGEST if matters(path) or (nothing_else and _counts(path)) else Need.NAME

    def need_after(path: str) -> Need:
        if matters(path):
            return Need.CONTENT
        # For a new file, the name is enough.
        return need_before(path) if path in before else Need.NAME

    def look() -> None:
        nonlocal before
        before = take_tree(sandbox, root, need_before, own_time)

    try:
        answer = run_program(sandbox, extraction.code, limit=time_limit, setup=setup, before=look)
        if answer.verdict is not None:
            return _failed(names, weights, answer.verdict, answer.reason, answer.stderr)
        after = take_tree(sandbox, root, need_after, own_time)
    except SandboxUnavailable as error:
        return settled(sandbox, error, lambda verdict, reason: _failed(names, weights, verdict, reason))
    parts = own_time.parts(
        checks,
        lambda check: judge_file(check, before, after, root, matching, own_time),
        lambda check, why: Part(check.label, 0.0, weight=check.weight, verdict=Verdict.TIMEOUT, reason=why),
    )
    if nothing_else:
        parts.append(_nothing_else(before, after, matters))
    return Reward.from_parts(parts, reason=f"code judged: {extraction.how}")


def _failed(names: Sequence[str], weights: Sequence[float], verdict: Verdict, reason: str, stderr: str = "") -> Reward:
    return Reward.from_parts(
        Part(name, 0.0, weight=weight, verdict=verdict, reason=readable(reason), stderr=readable(stderr) or None)
        for name, weight in zip(names, weights, strict=True)
    )


def _nothing_else(before: Tree, after: Tree, matters: Callable[[str], bool]) -> Part:
    others = [path for path in touched(before, after) if _counts(path) and not matters(path)]
    if not others:
        return Part(NOTHING_ELSE, 1.0)
    return Part(NOTHING_ELSE, 0.0, reason=f"touched as well: {shown(others)}")


def _counts(path: str) -> bool:
    return not any(step.startswith(".") or step == "__pycache__" for step in path.split("/"))
