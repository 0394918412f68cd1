"""Handles faults of this package while it scores a candidate: the reward is unscored, and names the fault.

A mistake of the test's author is raised, so that the author corrects it. A candidate's behaviour earns its reward. Any
other exception is this package's fault. It must neither remove the test from the figures nor end the rows after it, and
no gate passes with it.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Final

from pytest_rewardkit import turn
from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable

PLEASE_REPORT: Final = "pytest-rewardkit itself failed here; please report it, with the traceback in fault.txt"


def guarded(score: Callable[[], Reward]) -> Reward:
    """Return what a scorer returns; the reward is unscored if the infrastructure or this package failed.

    Raises RewardkitUsageError, and what the SDK raises for a test's wrong arguments.
    """
    try:
        return score()
    except UnscoredError as error:
        return Reward.unscored(str(error))
    except RewardkitUsageError:
        raise
    except Exception as error:
        if _is_of_arguments(error):
            raise
        return faulty(error)


def faulty(error: Exception) -> Reward:
    """Return the reward of a candidate whose scoring ended in our own fault, and note it with the running test."""
    told = "".join(traceback.format_exception(error))
    cause = f"{PLEASE_REPORT}: {one_line(f'{type(error).__name__}: {error}', 200)}"
    note = getattr(turn.current(), "note_fault", None)
    if note is not None:
        note(cause)
    else:
        logging.getLogger(__name__).error("%s\n%s", cause, printable(told, keep="\n\t"))
    return Reward(None, reason=cause, evidence=(Evidence(fault=told),))


def _is_of_arguments(error: Exception) -> bool:
    kinds = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    return "e2b.exceptions.InvalidArgumentException" in kinds
