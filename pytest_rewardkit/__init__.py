"""Rewards for model-written code, as a pytest plugin."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_rewardkit.assertion import assert_reward
    from pytest_rewardkit.assertions import assert_analysis, assert_cases, assert_files, assert_output, assert_tests
    from pytest_rewardkit.candidates.candidate import Candidate
    from pytest_rewardkit.datasets.evaluate import evaluate_dataset
    from pytest_rewardkit.datasets.results import EvaluationResults
    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.score import assert_row, score_row
    from pytest_rewardkit.errors import (
        RewardkitError,
        RewardkitUsageError,
        RewardkitWarning,
        SandboxUnavailable,
        UnscoredError,
    )
    from pytest_rewardkit.ledger.ledger import Ledger
    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.projects.project import Project
    from pytest_rewardkit.projects.score import score_tests
    from pytest_rewardkit.reward import Part, Reward, Verdict, weighted
    from pytest_rewardkit.run.worker.recorder import Recorder
    from pytest_rewardkit.sandboxes.provider import Provider, SandboxFactory
    from pytest_rewardkit.scorers.analysis import score_analysis
    from pytest_rewardkit.scorers.cases import score_cases
    from pytest_rewardkit.scorers.checks.case import Case
    from pytest_rewardkit.scorers.checks.chart_check import ChartCheck
    from pytest_rewardkit.scorers.checks.file_check import FileCheck
    from pytest_rewardkit.scorers.checks.insight import Insight
    from pytest_rewardkit.scorers.files import score_files
    from pytest_rewardkit.scorers.function import RewardFunction, reward_function
    from pytest_rewardkit.scorers.output import score_output
    from pytest_rewardkit.scorers.quality import score_quality
    from pytest_rewardkit.scorers.response.extract import extract_code

__all__ = [
    "Candidate",
    "Case",
    "ChartCheck",
    "EvaluationResults",
    "FileCheck",
    "Insight",
    "Ledger",
    "Part",
    "Project",
    "Provider",
    "Record",
    "Recorder",
    "Reward",
    "RewardFunction",
    "RewardkitError",
    "RewardkitUsageError",
    "RewardkitWarning",
    "Row",
    "SandboxFactory",
    "SandboxUnavailable",
    "UnscoredError",
    "Verdict",
    "assert_analysis",
    "assert_cases",
    "assert_files",
    "assert_output",
    "assert_reward",
    "assert_row",
    "assert_tests",
    "evaluate_dataset",
    "extract_code",
    "reward_function",
    "score_analysis",
    "score_cases",
    "score_files",
    "score_output",
    "score_quality",
    "score_row",
    "score_tests",
    "weighted",
]

# pytest imports this package in every session, so its names are loaded on first use.
_MODULES = {
    "assertion": ("assert_reward",),
    "assertions": ("assert_analysis", "assert_cases", "assert_files", "assert_output", "assert_tests"),
    "candidates.candidate": ("Candidate",),
    "datasets.evaluate": ("evaluate_dataset",),
    "datasets.results": ("EvaluationResults",),
    "datasets.row": ("Row",),
    "datasets.score": ("assert_row", "score_row"),
    "errors": ("RewardkitError", "RewardkitUsageError", "RewardkitWarning", "SandboxUnavailable", "UnscoredError"),
    "sandboxes.provider": ("Provider", "SandboxFactory"),
    "ledger.ledger": ("Ledger",),
    "ledger.record": ("Record",),
    "projects.project": ("Project",),
    "projects.score": ("score_tests",),
    "reward": ("Part", "Reward", "Verdict", "weighted"),
    "scorers.function": ("RewardFunction", "reward_function"),
    "run.worker.recorder": ("Recorder",),
    "scorers.analysis": ("score_analysis",),
    "scorers.checks.case": ("Case",),
    "scorers.cases": ("score_cases",),
    "scorers.checks.chart_check": ("ChartCheck",),
    "scorers.response.extract": ("extract_code",),
    "scorers.checks.file_check": ("FileCheck",),
    "scorers.files": ("score_files",),
    "scorers.checks.insight": ("Insight",),
    "scorers.output": ("score_output",),
    "scorers.quality": ("score_quality",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
