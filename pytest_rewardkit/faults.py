"""Where a fault of this package ends that shows while a candidate is scored: the reward is unscored, and says so.

A mistake of the test's author is raised, so that it is mended; what a candidate does earns what it is worth. What is
raised beside these is ours. It must neither take the test out of the figures nor end the rows after it, and no gate
passes with it.
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
    """Return what a scorer returns; the reward is unscored where the infrastructure or this package failed.

    Raises RewardkitUsageError, and what the SDK raises for wrong arguments of the test's.
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
    """Return the reward of a candidate whose scoring ended in a fault of ours, and note it with the running test."""
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
