"""Scores a candidate that changes a project, by the project's own tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypedDict

from pytest_rewardkit.errors import SandboxUnavailable, UnscoredError
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.faults import guarded
from pytest_rewardkit.formatting import counted
from pytest_rewardkit.projects.changes import NoPatch, changes_of, checked_candidate, steering_among
from pytest_rewardkit.projects.expected import ProjectBaseline, expected_of, outcomes_by_name
from pytest_rewardkit.projects.harness import Harness
from pytest_rewardkit.projects.judging import contradiction, disagrees, failed, judge
from pytest_rewardkit.projects.outcomes import ProjectRun, ReportedOutcome
from pytest_rewardkit.projects.patch_reading import NotApplied
from pytest_rewardkit.reward import Reward, Verdict
from pytest_rewardkit.scorers.running.repeat import repeated
from pytest_rewardkit.scorers.running.tenants import moves_in, settled
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.projects.changes import ProjectCandidate
    from pytest_rewardkit.projects.expected import Expected
    from pytest_rewardkit.projects.project import Project
    from pytest_rewardkit.projects.sources import ProjectFile

_SHOWN: Final = 5


class TestsOptions(TypedDict, total=False):
    """The options of `score_tests`, for functions that pass them on."""

    fail_to_pass: Collection[str] | None
    pass_to_pass: Collection[str] | None
    weights: Mapping[str, float] | None


def score_tests(
    sandbox: Sandbox,
    candidate: ProjectCandidate,
    project: Project,
    *,
    fail_to_pass: Collection[str] | None = None,
    pass_to_pass: Collection[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Reward:
    """Return the reward of a change of a project: the weighted share of its tests that pass.

    Tests that pass without the candidate earn nothing, and count only if the candidate breaks them. The candidate's
    changes to tests, and to files that decide how tests run, are left out (steering.py).

    Parameters:
        sandbox: where the tests run. No code of the candidate may have run in it; if an agent worked in another
            sandbox, pass the files that it left.
        candidate: a unified diff, also as part of a response; or contents by path, None for a removed file.
        project: whose tests they are.
        fail_to_pass, pass_to_pass: the tests that count, if not all do: those that must pass with the candidate, and
            those that pass without it (SWE-bench's meaning). Names are pytest's node ids.
        weights: of tests, by name; 1 for all others.

    Returns a reward with a part for each test. It is unscored, with the cause, if the infrastructure failed, if the
    tests do not run without a candidate either, or if none of them depends on the candidate.
    Raises RewardkitUsageError for wrong arguments.
    """

    def score() -> Reward:
        baseline = _baseline(sandbox, project)
        expected = expected_of(baseline, fail_to_pass=fail_to_pass, pass_to_pass=pass_to_pass, weights=weights)
        try:
            tree, note = _with_candidate(project, candidate)
        except NoPatch as error:
            return failed(expected, Verdict.NO_CODE, str(error))
        except NotApplied as error:
            return failed(expected, Verdict.COMPILE_ERROR, f"the patch cannot be applied: {error}")
        try:
            return _tested(sandbox, project, tree, expected, baseline, note)
        except SandboxUnavailable as error:
            return settled(sandbox, error, lambda verdict, reason: failed(expected, verdict, reason))

    checked_candidate(candidate)
    return _with_evidence(guarded(lambda: repeated(score, sandbox)), candidate)


def _baseline(sandbox: Sandbox, project: Project) -> ProjectBaseline:
    """The tests' outcomes without a candidate; determined in the sandbox before the candidate is there."""
    with project.lock:
        if project.baseline is None:
            harness = Harness(sandbox, project)
            harness.put(project.files)
            harness.set_up()
            alone = best = harness.test()
            if alone.verdict is not None or not alone.outcomes:
                raise UnscoredError(f"the project's tests do not run here: {_told(alone)}")
            reference = None
            if project.reference is not None:
                tree, _ = _with_reference(project, project.reference)
                _put(harness, project, tree)
                reference = best = harness.test()
            order_matters = False
            if project.any_order and project.report is None:
                passed = [name for name, outcome in outcomes_by_name(best).items() if outcome is ReportedOutcome.PASSED]
                order_matters = disagrees(best, harness.test(reverse=True), passed)
            status_tells = not any(contradiction(run) for run in (alone, reference) if run is not None)
            project.baseline = ProjectBaseline(alone, reference, order_matters, status_tells)
    return project.baseline


def _with_reference(project: Project, reference: ProjectCandidate) -> tuple[dict[str, ProjectFile], str]:
    try:
        return _with_candidate(project, reference)
    except (NoPatch, NotApplied) as error:
        raise UnscoredError(f"the project's reference cannot be applied: {error}") from None


def _with_candidate(project: Project, candidate: ProjectCandidate) -> tuple[dict[str, ProjectFile], str]:
    """The project's files with the candidate's changes, and a note of the changes left out."""
    changes = changes_of(candidate, project.files)
    left_out = steering_among(changes, project.tests)
    tree = dict(project.files)
    for path, file in changes.items():
        if path in left_out:
            continue
        if file is None:
            tree.pop(path, None)
        else:
            tree[path] = file
    if conflict := next((path for path in tree if _is_below_a_file(path, tree)), None):
        raise NotApplied(f"{one_line(conflict, 200)} is below a file")
    if not left_out:
        return tree, ""
    shown = ", ".join(one_line(path, 60) for path in left_out[:_SHOWN])
    more = f" and {counted(len(left_out) - _SHOWN, 'other')}" if len(left_out) > _SHOWN else ""
    return tree, f"left out, because it decides how tests run: {shown}{more}"


def _is_below_a_file(path: str, tree: Mapping[str, ProjectFile]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:length]) in tree for length in range(1, len(parts)))


def _put(harness: Harness, project: Project, tree: Mapping[str, ProjectFile]) -> None:
    """Create the project's folder, and run its setup before the candidate's files are there."""
    if not project.setup:
        harness.put(tree)
        return
    harness.put(project.files)
    harness.set_up()
    harness.remove([path for path in project.files if path not in tree])
    harness.write({path: file for path, file in tree.items() if project.files.get(path) != file})
    # The setup ran without them; tests and the files that steer them stay unchanged, whatever came between.
    harness.write({path: project.files[path] for path in steering_among(project.files, project.tests)})


def _tested(
    sandbox: Sandbox,
    project: Project,
    tree: Mapping[str, ProjectFile],
    expected: Expected,
    baseline: ProjectBaseline,
    note: str,
) -> Reward:
    harness = Harness(sandbox, project)
    _put(harness, project, tree)
    moves_in(sandbox)
    run = harness.test()
    reverse = None
    if run.verdict is None and project.any_order and project.report is None and not baseline.order_matters:
        harness.write(tree)  # undo whatever the first run did to it
        reverse = harness.test(reverse=True)
    return judge(expected, run, reverse, note, status_tells=baseline.status_tells)


def _told(run: ProjectRun) -> str:
    lines = [line for line in run.output.splitlines() if line.strip()]
    last = f": {one_line(lines[-1], 300)}" if lines else ""
    return (run.reason or f"they ended with status {run.status}, and the report has none") + last


def _with_evidence(reward: Reward, candidate: ProjectCandidate) -> Reward:
    text = candidate if isinstance(candidate, str) else "\n".join(_shown(*file) for file in candidate.items())
    return replace(reward, evidence=(Evidence(response=text),))


def _shown(path: str, content: str | bytes | None) -> str:
    if content is None:
        return f"=== {path}, removed"
    return f"=== {path}\n{content if isinstance(content, str) else content.decode('utf-8', 'replace')}"
