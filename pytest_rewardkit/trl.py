"""A reward function in the form that TRL's trainers call: ``(completions, **columns) -> list[float | None]``."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from traceback import format_exc
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import NoRewardError, RewardkitUsageError
from pytest_rewardkit.scorers.function import RewardFunction
from pytest_rewardkit.scorers.response.messages import content_text
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_rewardkit.scorers.response.messages import Conversation

    Completion = str | Conversation

_log: Final = logging.getLogger(__name__)


def for_trl(function: Callable[..., Any], *, concurrency: int | None = None) -> Callable[..., list[float | None]]:
    """Return `function` in the form that TRL's `GRPOTrainer(reward_funcs=...)` and similar trainers call.

    Parameters:
        function: a function for `@reward_function`, decorated or not. It receives the columns that it names.
        concurrency: how many completions are judged at a time; by default twice the number of processors, at most 16.

    Returns:
        A function of ``completions`` (texts, or conversations, whose last message's text is judged) and columns by
        keyword, each as long as the completions. It returns a number for each completion, and None if nothing can
        be said; TRL leaves that out of the advantage. If the function raises an exception for one completion, or
        returns something that is not a reward, it logs that and returns None for it: the rest of the batch goes on.

    Raises:
        RewardkitUsageError: the columns do not match the function's parameters.
    """
    judge = function if isinstance(function, RewardFunction) else RewardFunction(function)
    workers = concurrency or min(16, 2 * (os.cpu_count() or 2))

    def rewards(completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        wanted = {name: column for name, column in columns.items() if judge.fields is not None and name in judge.fields}

        def judged(index: int) -> float | None:
            row = {name: column[index] for name, column in wanted.items()}
            try:
                return judge(_text(completions[index]), **row).value
            except RewardkitUsageError as error:
                if not isinstance(error, NoRewardError):
                    raise
                _log.warning("completion %d: %s", index, printable(str(error)))
            except Exception:
                _log.warning("completion %d: %s", index, printable(format_exc(), keep="\n\t"))
            return None

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(judged, range(len(completions))))

    rewards.__name__ = getattr(function, "__name__", "reward")  # TRL logs each reward under this name
    return rewards


def _text(completion: Completion) -> str:
    return content_text(completion if isinstance(completion, str) else completion[-1].get("content"))
