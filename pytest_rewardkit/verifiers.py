"""A reward function in the form that `verifiers` calls: as a task's reward from 0.4 on, in a `Rubric` before."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.scorers.awaitable import in_thread
from pytest_rewardkit.scorers.function import RewardFunction
from pytest_rewardkit.scorers.response.messages import ASSISTANT, content_text
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, MutableMapping, Sequence

_log: Final = logging.getLogger(__name__)


def for_verifiers(
    function: Callable[..., Any], *, fields: Mapping[str, str] | None = None
) -> Callable[..., Coroutine[Any, Any, float]]:
    """Return `function` in the form that `verifiers` calls, in a task's configuration or in `Rubric(funcs=...)`.

    Parameters:
        function: a function for `@reward_function`, decorated or not. It judges the assistant's last message, and
            receives the fields that it names: from the row, its ``info``, or the task.
        fields: their names there, if these differ, such as ``{"expected_output": "answer"}``.

    Returns:
        An asynchronous function. If nothing can be said, or something fails, it raises, so that the rollout has an
        error and no reward. A `Rubric` would turn that into 0, so in a `Rubric` the error goes to the rollout's state,
        like one of a sandbox of `verifiers`, for which rollouts are retried or left out, and the reward is NaN.
    """
    judge = function if isinstance(function, RewardFunction) else RewardFunction(function)
    names = {name: (fields or {}).get(name, name) for name in judge.fields}

    async def reward(
        *,
        trace: Any = None,
        task: Any = None,
        completion: Any = None,
        info: Any = None,
        state: MutableMapping[str, Any] | None = None,
        **columns: Any,
    ) -> float:
        try:
            response = str(trace.last_reply) if trace is not None else _answer(completion)
            row = {name: value for name, there in names.items() for value in _found(there, columns, info, task)}
            earned = await in_thread(partial(judge, response, **row))
            if earned.value is None:
                raise UnscoredError(earned.reason)
        except Exception as error:
            if state is None:
                raise
            _log.warning("a rollout has no reward: %s: %s", type(error).__name__, printable(str(error)))
            state["error"] = _sandbox_error(str(error))
            return math.nan
        return earned.value

    # `verifiers` reads the signature to choose the arguments, so it must not look like the function's own.
    reward.__name__ = getattr(function, "__name__", "reward")
    return reward


def _answer(completion: str | Sequence[Any] | None) -> str:
    """The assistant's last message, as a mapping or as an object."""
    if completion is None:
        raise UnscoredError("there is no completion to judge")
    if isinstance(completion, str):
        return completion
    for message in reversed(completion):
        parts = message if isinstance(message, Mapping) else vars(message)
        if parts.get("role") == ASSISTANT:
            return content_text(parts.get("content"))
    return ""


def _found(name: str, *places: Any) -> Iterator[Any]:
    """Yield the value with this name from the first place that has one."""
    for place in places:
        if isinstance(place, Mapping):
            if name in place:
                yield place[name]
                return
        elif place is not None and hasattr(place, name):
            yield getattr(place, name)
            return


def _sandbox_error(text: str) -> Exception:
    library = sys.modules.get("verifiers")
    kind = getattr(library, "SandboxError", None) or UnscoredError
    error: Exception = kind(text)
    return error
