"""`@reward_function`: makes a scorer of a user's function that takes a response and fields and returns a number."""

from __future__ import annotations

import asyncio
import functools
import inspect
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from pytest_rewardkit.errors import NoRewardError, RewardkitUsageError, UnscoredError, did_you_mean
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.scorers.response.extract import find_code

if TYPE_CHECKING:
    from collections.abc import Callable

SANDBOX = "sandbox"


class RewardFunction:
    """A function made a scorer; `reward_function` returns it.

    A call returns a `Reward`, which prints, formats and calculates as its number. A function with a parameter
    ``sandbox`` gets a fresh one if the caller gives none.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._signature = inspect.signature(function)
        self._name = getattr(function, "__qualname__", repr(function))
        parameters = self._signature.parameters.values()
        if not any(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters):
            raise RewardkitUsageError(f"{self._name} takes no response, which must be its first parameter")

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its parameters besides the response and the sandbox."""
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        parameters = list(self._signature.parameters.values())[1:]
        return tuple(item.name for item in parameters if item.name != SANDBOX and item.kind not in kinds)

    def __call__(self, *arguments: Any, **fields: Any) -> Reward:
        """Returns the reward of a response, which is the first argument or has the function's own name for it.

        Raises:
            RewardkitUsageError: a field is missing or unknown, or the function did not return a reward.
            Exception: whatever the function itself raises; only a lost sandbox makes the reward unscored.
        """
        needs_sandbox = SANDBOX in self._signature.parameters and SANDBOX not in fields
        try:
            self._signature.bind(*arguments, **fields, **({SANDBOX: None} if needs_sandbox else {}))
        except TypeError as error:
            raise RewardkitUsageError(f"{self._name}: {error}{self._nearest(fields, str(error))}") from None
        try:
            reward = self._reward(arguments, fields, needs_sandbox=needs_sandbox)
        except UnscoredError as error:
            reward = Reward.unscored(str(error))
        return reward if reward.evidence else replace(reward, evidence=_evidence(self._response(arguments, fields)))

    def _reward(self, arguments: tuple[Any, ...], fields: dict[str, Any], *, needs_sandbox: bool) -> Reward:
        if not needs_sandbox:
            return as_reward(awaited(self._function(*arguments, **fields)), self._name)
        from pytest_rewardkit.sandboxes.standalone import open_sandbox

        with open_sandbox() as sandbox:
            return as_reward(awaited(self._function(*arguments, sandbox=sandbox, **fields)), self._name)

    def _response(self, arguments: tuple[Any, ...], fields: dict[str, Any]) -> Any:
        return arguments[0] if arguments else fields.get(next(iter(self._signature.parameters)))

    def _nearest(self, fields: dict[str, Any], said: str) -> str:
        """The first unknown field, unless that was `said`, and the nearest known one."""
        unknown = [name for name in fields if name not in (*self.fields, SANDBOX)]
        if not unknown:
            return ""
        given = "" if repr(unknown[0]) in said else f", but got {unknown[0]!r}"
        return given + did_you_mean(unknown[0], self.fields)


def _evidence(response: Any) -> tuple[Evidence, ...]:
    """The judged response, for a function that returns only a number; what it ran, and how, is unknown."""
    if not isinstance(response, str):
        return ()
    code = find_code(response).code
    return (Evidence(code=code, response="" if response == code else response),)


@overload
def reward_function(function: Callable[..., Any]) -> RewardFunction: ...


@overload
def reward_function(function: None = None) -> Callable[[Callable[..., Any]], RewardFunction]: ...


def reward_function(
    function: Callable[..., Any] | None = None,
) -> RewardFunction | Callable[[Callable[..., Any]], RewardFunction]:
    """Turn a function ``(response, **fields)`` into a scorer. It returns a number in [0, 1], a `Reward`, or None.

    Parameters:
        function: plain or asynchronous; its first parameter takes the response; one named ``sandbox`` takes a fresh
            `e2b_code_interpreter.Sandbox`; the others are the row's fields.

    Raises:
        RewardkitUsageError: the function takes no response.

    >>> @reward_function
    ... def brevity(response, limit):
    ...     return min(1.0, limit / max(len(response), 1))
    >>> print(brevity("x" * 20, limit=10))
    0.5
    """
    return RewardFunction(function) if function is not None else RewardFunction


def awaited(value: Any) -> Any:
    """The result of an asynchronous function, run in a thread, since an event loop may run in this one."""
    if not inspect.iscoroutine(value):
        return value
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, value).result()


def as_reward(value: Any, name: str) -> Reward:
    """The reward that a function's return value stands for; None stands for unscored.

    Raises:
        NoRewardError: the value is not a number in [0, 1].
    """
    if isinstance(value, Reward):
        return value
    if value is None:
        return Reward.unscored(f"{name} gave no number")
    try:
        return Reward(value)
    except (ValueError, TypeError) as error:
        raise NoRewardError(f"{name} must return a number in [0, 1], a Reward or None: {error}") from None
