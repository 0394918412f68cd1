"""The assertion about a reward: it records the reward with the running test, and fails if it is too low.

It also works without pytest, but then records nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.reward import Verdict, given_reward
from pytest_rewardkit.run.worker.recorder import DEFAULT_NAME, current_recorder

if TYPE_CHECKING:
    from pytest_rewardkit.reward import Reward


def assert_reward(
    reward: Reward | float, threshold: float | None = None, *, name: str = DEFAULT_NAME, weight: float = 1.0
) -> Reward:
    """Record `reward` with the running test, and fail unless it reaches the threshold.

    Parameters:
        reward: a reward, or a number in [0, 1].
        threshold: the reward from which this assertion passes. Without it, the test's marker
            ``@pytest.mark.reward(threshold=…)``, or else ``--rewardkit-threshold``, decides when the test is over,
            about everything that it recorded. If these are not set either, it is 1.0.
        name: what the reward is for.
        weight: how much it counts among the rewards of this test.

    Returns the reward. Raises AssertionError, with every part that did not pass; UnscoredError if the reward is
    unscored, because nothing can be said about the candidate then; RewardkitUsageError for a threshold outside [0, 1].
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
        from pytest_rewardkit.reports.failure import under_threshold

        raise AssertionError(under_threshold(given, threshold))
    return given
