"""The reward functions of E2B's guide, under their well-known module name (guide_rewards.py)."""

from __future__ import annotations

from pytest_rewardkit.guide_rewards import (
    DATASET_NAME as DATASET_NAME,
)
from pytest_rewardkit.guide_rewards import (
    FIELDS as FIELDS,
)
from pytest_rewardkit.guide_rewards import (
    PLOT_BONUS as PLOT_BONUS,
)
from pytest_rewardkit.guide_rewards import (
    advanced_code_evaluation,
    calculate_output_similarity,
    data_analysis_reward,
    e2b_code_execution_reward,
    file_based_code_reward,
)

__all__ = [
    "advanced_code_evaluation",
    "calculate_output_similarity",
    "data_analysis_reward",
    "e2b_code_execution_reward",
    "file_based_code_reward",
]
