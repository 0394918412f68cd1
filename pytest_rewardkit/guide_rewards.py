"""The reward functions of E2B's guide to code execution rewards, with their names, and working as its text says.

Each takes the response and, by keyword or in this order, what to judge it by. Each runs it in a fresh sandbox, or in
the one given as `sandbox`. Fields of the other functions are ignored, so that one list of fields serves all of them;
any other name is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.reward import Reward, Verdict
from pytest_rewardkit.scorers.analysis import score_analysis
from pytest_rewardkit.scorers.cases import TIME_LIMIT, score_cases
from pytest_rewardkit.scorers.files import score_files
from pytest_rewardkit.scorers.function import reward_function
from pytest_rewardkit.scorers.output import score_output
from pytest_rewardkit.scorers.values.similarity import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from e2b_code_interpreter import Sandbox

__all__ = [
    "advanced_code_evaluation",
    "calculate_output_similarity",
    "data_analysis_reward",
    "e2b_code_execution_reward",
    "file_based_code_reward",
]

FIELDS: Final = ("expected_output", "test_cases", "file_operations", "dataset_path", "expected_insights")

DATASET_NAME: Final = "dataset.csv"
"""The guide uploads every dataset under this name; it is also available under its own name."""

PLOT_BONUS: Final = 0.5


@reward_function
def e2b_code_execution_reward(
    response: str, expected_output: str, *, sandbox: Sandbox, time_limit: float = TIME_LIMIT, **others: Any
) -> Reward:
    """Compares what the response's code prints and evaluates to with the expected output.

    An equal output, apart from white space at the ends of lines, earns 1. Another output earns the share of words in
    common, counted and two-sided (similarity.py).

    Parameters:
        expected_output: the whole output.
        time_limit: seconds for the code.
    """
    _only_fields(others)
    return score_output(sandbox, response, str(expected_output), similarity="words", time_limit=time_limit)


@reward_function
def advanced_code_evaluation(
    response: str,
    test_cases: Sequence[Mapping[str, Any]],
    *,
    sandbox: Sandbox,
    time_limit: float = TIME_LIMIT,
    **others: Any,
) -> Reward:
    """Runs the response's code, then each case; earns the share of cases with the expected result, 0 without any.

    Parameters:
        test_cases: mappings with ``code`` and ``expected``, or other fields of `Case`.
        time_limit: seconds for the code, and for each case.
    """
    _only_fields(others)
    if not test_cases:
        return _nothing_asked("test_cases")
    return score_cases(sandbox, response, test_cases, time_limit=time_limit)


@reward_function
def file_based_code_reward(
    response: str,
    file_operations: Sequence[Mapping[str, Any]],
    *,
    sandbox: Sandbox,
    time_limit: float = TIME_LIMIT,
    **others: Any,
) -> Reward:
    """Runs the response's code; earns the share of files that are as expected, 0 without any.

    Parameters:
        file_operations: mappings with ``path``, ``type`` (``create`` by default) and ``content``, or other fields of
            `FileCheck`.
        time_limit: seconds for the code.
    """
    _only_fields(others)
    if not file_operations:
        return _nothing_asked("file_operations")
    return score_files(sandbox, response, file_operations, time_limit=time_limit)


@reward_function
def data_analysis_reward(
    response: str,
    dataset_path: str | Path,
    expected_insights: Sequence[str | float],
    *,
    sandbox: Sandbox,
    time_limit: float = TIME_LIMIT,
    **others: Any,
) -> Reward:
    """Uploads a dataset, runs the response's code, and looks for insights in what it prints and displays.

    Each insight counts 1 and a plot half of that. A plot raises a reward but never replaces a missing insight; without
    any insight the reward is 0.

    Parameters:
        dataset_path: a file; the code finds it as ``dataset.csv`` and under its own name.
        expected_insights: texts, found in any letter case but not inside other words, or numbers.
        time_limit: seconds for the code.
    """
    from pathlib import Path

    _only_fields(others)
    if not expected_insights:
        return _nothing_asked("expected_insights")
    content = Path(dataset_path).read_bytes()
    return score_analysis(
        sandbox,
        response,
        insights=expected_insights,
        datasets={DATASET_NAME: content, Path(dataset_path).name: content},
        plot_bonus=PLOT_BONUS,
        time_limit=time_limit,
    )


def calculate_output_similarity(actual: str, expected: str) -> Reward:
    """The share of words that two outputs have in common, ignoring case, counted and two-sided (similarity.py)."""
    return Reward(words(actual.lower(), expected.lower()))


def _only_fields(others: Mapping[str, Any]) -> None:
    for name in others:
        if name not in FIELDS:
            raise RewardkitUsageError(f"no field {name!r}{did_you_mean(name, FIELDS)}")


def _nothing_asked(field: str) -> Reward:
    return Reward(0.0, verdict=Verdict.WRONG_OUTPUT, reason=f"there are no {field}, so nothing was earned")
