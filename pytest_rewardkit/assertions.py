"""Assertions about rewards: each records the reward with the running test, and then fails if it is too low.

They work without pytest as well; there is nothing to record with then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.projects.score import score_tests
from pytest_rewardkit.reports.failure import under_threshold
from pytest_rewardkit.reward import Verdict, given_reward
from pytest_rewardkit.run.worker.recorder import DEFAULT_NAME, current_recorder
from pytest_rewardkit.scorers.analysis import score_analysis
from pytest_rewardkit.scorers.cases import score_cases
from pytest_rewardkit.scorers.files import score_files
from pytest_rewardkit.scorers.output import score_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.projects.changes import ProjectCandidate
    from pytest_rewardkit.projects.project import Project
    from pytest_rewardkit.projects.score import TestsOptions
    from pytest_rewardkit.reward import Reward
    from pytest_rewardkit.scorers.analysis import AnalysisOptions
    from pytest_rewardkit.scorers.cases import CasesOptions
    from pytest_rewardkit.scorers.checks.case import Case
    from pytest_rewardkit.scorers.checks.file_check import FileCheck
    from pytest_rewardkit.scorers.files import FilesOptions
    from pytest_rewardkit.scorers.output import OutputOptions


def assert_reward(
    reward: Reward | float, threshold: float | None = None, *, name: str = DEFAULT_NAME, weight: float = 1.0
) -> Reward:
    """Record `reward` with the running test, and fail unless it reaches the threshold.

    Parameters:
        reward: a reward, or a number in [0, 1].
        threshold: the reward from which this assertion passes. Without it, the test's marker
            ``@pytest.mark.reward(threshold=…)``, or else ``--rewardkit-threshold``, decides when the test is over,
            about all that it recorded; without these, 1.0.
        name: what the reward is for.
        weight: how much it counts among the rewards of this test.

    Returns the reward. Raises AssertionError, with every part that did not pass; UnscoredError when the reward is
    unscored, since nothing can be said about the candidate then; RewardkitUsageError for a threshold outside [0, 1].
    """
    __tracebackhide__ = True
    given = given_reward(reward, "assert_reward")
    if threshold is not None and not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
        raise RewardkitUsageError(f"threshold must be a number in [0, 1], not {threshold!r}")
    record = current_recorder()
    if record is not None:
        record.record(given, name=name, weight=weight)
        if threshold is not None:
            record.note_held()
    if given.verdict is Verdict.UNSCORED:
        raise UnscoredError(given.reason or "the reward is unscored")
    if threshold is None:
        if record is not None and record.threshold is not None:
            return given
        threshold = 1.0
    if not given.reaches(threshold):
        raise AssertionError(under_threshold(given, threshold))
    return given


def _ask() -> None:
    """Note that the running test is to earn a reward: whatever ends it before it has one, it is in the figures."""
    if (record := current_recorder()) is not None:
        record.expects_reward = True


def assert_output(
    sandbox: Sandbox,
    candidate: str,
    expected: Any,
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[OutputOptions],
) -> Reward:
    """Score the candidate by its output, as `score_output` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    _ask()
    reward = score_output(sandbox, candidate, expected, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_cases(
    sandbox: Sandbox,
    candidate: str,
    cases: Iterable[Case | Mapping[str, Any]],
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[CasesOptions],
) -> Reward:
    """Score the candidate by cases, as `score_cases` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    _ask()
    reward = score_cases(sandbox, candidate, cases, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_files(
    sandbox: Sandbox,
    candidate: str,
    files: Iterable[FileCheck | Mapping[str, Any]],
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[FilesOptions],
) -> Reward:
    """Score the candidate by the files that it leaves, as `score_files` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    _ask()
    reward = score_files(sandbox, candidate, files, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_analysis(
    sandbox: Sandbox,
    candidate: str,
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[AnalysisOptions],
) -> Reward:
    """Score a data analysis, as `score_analysis` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    _ask()
    reward = score_analysis(sandbox, candidate, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)


def assert_tests(
    sandbox: Sandbox,
    candidate: ProjectCandidate,
    project: Project,
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    **options: Unpack[TestsOptions],
) -> Reward:
    """Score a change of a project by its tests, as `score_tests` does, and go on as `assert_reward` does."""
    __tracebackhide__ = True
    _ask()
    reward = score_tests(sandbox, candidate, project, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)
