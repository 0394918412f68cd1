"""Assertions about candidates: each scores one by a scorer, and then asserts its reward as `assert_reward` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.assertion import assert_reward
from pytest_rewardkit.projects.score import score_tests
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


def _ask() -> None:
    """Note that the running test should earn a reward, so that it is in the figures even if it ends without one."""
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
    """Score the candidate by its output, record the reward, and fail if it is under the threshold.

    Parameters:
        sandbox, candidate and so on: those of `score_output`.
        threshold, name, weight: those of `assert_reward`.

    Returns the reward. Raises what `score_output` and `assert_reward` raise.
    """
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
    """Score the candidate by cases, record the reward, and fail if it is under the threshold.

    Parameters:
        sandbox, candidate and so on: those of `score_cases`.
        threshold, name, weight: those of `assert_reward`.

    Returns the reward. Raises what `score_cases` and `assert_reward` raise.
    """
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
    """Score the candidate by the files that it leaves, record the reward, and fail if it is under the threshold.

    Parameters:
        sandbox, candidate and so on: those of `score_files`.
        threshold, name, weight: those of `assert_reward`.

    Returns the reward. Raises what `score_files` and `assert_reward` raise.
    """
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
    """Score a data analysis, record the reward, and fail if it is under the threshold.

    Parameters:
        sandbox, candidate and so on: those of `score_analysis`.
        threshold, name, weight: those of `assert_reward`.

    Returns the reward. Raises what `score_analysis` and `assert_reward` raise.
    """
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
    """Score a change of a project by its tests, record the reward, and fail if it is under the threshold.

    Parameters:
        sandbox, candidate and so on: those of `score_tests`.
        threshold, name, weight: those of `assert_reward`.

    Returns the reward. Raises what `score_tests` and `assert_reward` raise.
    """
    __tracebackhide__ = True
    _ask()
    reward = score_tests(sandbox, candidate, project, **options)
    return assert_reward(reward, threshold, name=name, weight=weight)
