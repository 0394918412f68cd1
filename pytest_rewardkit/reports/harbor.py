"""A run's rewards in the form that Harbor's verifier reads: an object of numbers in ``reward.json``. Pure.

Harbor, and the trainers that read its tasks, distinguish a missing reward, which is a failure of the verifier, from 0.
So if anything is unknown, there is no reward.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.formatting import counted
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.ledger import Ledger
    from pytest_rewardkit.ledger.test import Test

MEAN: Final = "reward"
"""The name that Harbor takes as the reward if there are several."""

_NAME_LIMIT: Final = 200


def harbor_rewards(ledger: Ledger, *, complete: bool, uncollected: int) -> dict[str, float]:
    """Return the mean of all tests' rewards as ``reward``, and that of each group by the group's name.

    Means are weighted by the tests' weights; several attempts at a task count as one test.

    Parameters:
        complete: whether every test was tried that should be.
        uncollected: how many files could not be collected.

    Raises UnscoredError if a reward is unknown, and so everything that follows from it.
    """
    if uncollected:
        raise UnscoredError(f"{counted(uncollected, 'file')} could not be collected")
    if not complete:
        raise UnscoredError("the run was stopped")
    if ledger.missing:
        raise UnscoredError(f"{one_line(ledger.missing[0], _NAME_LIMIT)} did not run")
    tests = ledger.tasks
    for test in tests:
        if test.value is None:
            reason = f": {test.reward.reason}" if test.reward is not None and test.reward.reason else ""
            raise UnscoredError(one_line(f"{test.node_id} is unscored{reason}", 2 * _NAME_LIMIT))
    groups: defaultdict[str, list[Test]] = defaultdict(list)
    for test in tests:
        if test.group is not None:
            groups[test.group].append(test)
    if MEAN in groups:
        raise UnscoredError(f"a group is called {MEAN!r}, which is Harbor's name for the whole; give it another")
    means = {MEAN: _mean(tests), **{name: _mean(members) for name, members in sorted(groups.items())}}
    return {name: mean for name, mean in means.items() if mean is not None}


def _mean(tests: list[Test]) -> float | None:
    total = math.fsum(test.weight for test in tests)
    if not total:
        return None
    return math.fsum(test.weight * test.strict for test in tests) / total
