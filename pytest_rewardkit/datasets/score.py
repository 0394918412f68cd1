"""Scores a candidate by a row's task."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_rewardkit.assertion import assert_reward
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
from pytest_rewardkit.errors import RewardkitCallError
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.faults import guarded
from pytest_rewardkit.run.worker.recorder import DEFAULT_NAME
from pytest_rewardkit.sandboxes.beside import create_beside
from pytest_rewardkit.scorers.checks.case import checked_time_limit
from pytest_rewardkit.scorers.running.repeat import repeated
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.reward import Reward


def score_row(
    sandbox: Sandbox,
    row: Row,
    candidate: str | None = None,
    *,
    test_runner: TestRunner | None = None,
    time_limit: float | None = None,
    setup: str | None = None,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
) -> Reward:
    """Return the reward of a candidate for a row, by the row's format.

    Parameters:
        sandbox: where the candidate runs.
        row: a row of a dataset; its ``format`` says what its fields mean.
        candidate: code, or a model's response with code in it; by default the row's own candidate.
        test_runner: runs the row's own test code, apart from the candidate. By default the one that the fixture `row`
            has; else a second sandbox, created for this call.
        time_limit: seconds for the candidate and for each check of it, instead of the format's.
        setup: code that runs before the candidate, such as ``from typing import *``.
        rel_tol, abs_tol: how far numbers may differ, for formats that compare outputs or results of functions.

    Returns:
        The reward; unscored, with the cause, if the infrastructure failed or the row's own test cannot run.

    Raises:
        RewardkitUsageError: there is no candidate, a field of the row holds a wrong value, or an option has no meaning
            for the row's format.
    """
    if not isinstance(row, Row):
        raise RewardkitCallError(
            f"score_row: row must be a Row, as the fixture `row` gives it, not {one_line(repr(row), 60)}"
        )
    if time_limit is not None:
        checked_time_limit(time_limit)
    given = row.candidate if candidate is None else candidate
    options = {"setup": setup, "rel_tol": rel_tol, "abs_tol": abs_tol}
    task = row.task.with_options({name: value for name, value in options.items() if value is not None})
    present = test_runner if test_runner is not None else row.test_runner
    with nullcontext(present) if present is not None else TestRunner(lambda: create_beside(sandbox)) as found:

        def score() -> Reward:
            return task.score(sandbox, given, test_runner=found, time_limit=time_limit)

        reward = guarded(lambda: repeated(score, sandbox))
    evidence = reward.evidence or (Evidence(),)
    return replace(
        reward, evidence=tuple(item if item.candidate else replace(item, response=given) for item in evidence)
    )


def assert_row(
    sandbox: Sandbox,
    row: Row,
    candidate: str | None = None,
    *,
    threshold: float | None = None,
    name: str = DEFAULT_NAME,
    weight: float = 1.0,
    time_limit: float | None = None,
    setup: str | None = None,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
) -> Reward:
    """Score a candidate for a row, record the reward, and fail if it is under the threshold.

    Parameters:
        sandbox, row and so on: those of `score_row`.
        threshold, name, weight: those of `assert_reward`.
    """
    __tracebackhide__ = True
    reward = score_row(sandbox, row, candidate, time_limit=time_limit, setup=setup, rel_tol=rel_tol, abs_tol=abs_tol)
    return assert_reward(reward, threshold, name=name, weight=weight)
