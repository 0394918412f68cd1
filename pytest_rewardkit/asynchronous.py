"""Awaitable forms of the scorers and `evaluate_dataset`, hundreds in flight; `awaitable` makes one of any function.

    reward = await score_cases(async_sandbox, candidate, cases)
    rewards = await asyncio.gather(*map(awaitable(my_reward_function), responses))

Each takes the arguments of the function with its name, and an `AsyncSandbox` as well as a `Sandbox`.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from pytest_rewardkit.datasets import evaluate, score
from pytest_rewardkit.projects import score as projects
from pytest_rewardkit.scorers import analysis, cases, files, output, quality
from pytest_rewardkit.scorers.awaitable import MAX_IN_FLIGHT, awaitable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pytest_rewardkit.datasets.results import EvaluationResults

P = ParamSpec("P")

__all__ = [
    "MAX_IN_FLIGHT",
    "awaitable",
    "evaluate_dataset",
    "score_analysis",
    "score_cases",
    "score_files",
    "score_output",
    "score_quality",
    "score_row",
    "score_tests",
]


def _stoppable(
    function: Callable[P, EvaluationResults], begin: Callable[P, evaluate.Evaluation]
) -> Callable[P, Coroutine[Any, Any, EvaluationResults]]:
    """The asynchronous form of a function. If the wait for it is cancelled, its sandboxes are killed first."""

    async def call(*arguments: P.args, **keywords: P.kwargs) -> EvaluationResults:
        evaluation = await asyncio.to_thread(begin, *arguments, **keywords)
        # The evaluation has its own threads for candidates in flight.
        running = asyncio.ensure_future(asyncio.to_thread(_alone, evaluation))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.to_thread(evaluation.stop)
            await asyncio.gather(running, return_exceptions=True)
            raise

    return functools.update_wrapper(call, function)


# One at a time, because each evaluation points the SDK to its own sandboxes by the process's variables.
_turn: Final = threading.Lock()
_LOOK_SECONDS: Final = 0.1


def _alone(evaluation: evaluate.Evaluation) -> EvaluationResults:
    while not _turn.acquire(timeout=_LOOK_SECONDS):
        if evaluation.is_stopped:
            raise CancelledError
    try:
        return evaluation.run()
    finally:
        _turn.release()


evaluate_dataset: Final = _stoppable(evaluate.evaluate_dataset, evaluate.Evaluation)
score_analysis: Final = awaitable(analysis.score_analysis)
score_cases: Final = awaitable(cases.score_cases)
score_files: Final = awaitable(files.score_files)
score_output: Final = awaitable(output.score_output)
score_quality: Final = awaitable(quality.score_quality)
score_row: Final = awaitable(score.score_row)
score_tests: Final = awaitable(projects.score_tests)
