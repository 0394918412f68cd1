"""The tests of a run that check graders, and the result of each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.modes import CHECKS, PARAMETER

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.ledger import Ledger
    from pytest_rewardkit.ledger.test import Test

RAISED: Final = "the test raised and judged nothing"
"""The reason for candidates that are unscored because of that."""


def check_of(test: Test) -> str | None:
    """Return which check of a grader `test` is; None for any other test."""
    record = test.known
    found = None if record is None else record.params.get(PARAMETER)
    return found if found in CHECKS else None


def graders_in(ledger: Ledger) -> list[Test]:
    """Return the checks of graders among the tests of a run."""
    return [test for test in ledger.tests if check_of(test) is not None]


def candidates_of(test: Test) -> int:
    """Return how many candidates a grader was tried with."""
    reward, record = test.reward, test.known
    return 0 if reward is None or record is None else len(reward.parts) + record.left_out


def caught(test: Test) -> int:
    """Return how many of them it has judged correctly."""
    return round((test.value or 0.0) * candidates_of(test))
