"""Reward functions as `verifiers` calls them: in a task's scoring (from 0.4 on) and in a `Rubric` (before)."""

from __future__ import annotations

import asyncio
import inspect
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import UnscoredError
from pytest_rewardkit.verifiers import for_verifiers

if TYPE_CHECKING:
    from collections.abc import Callable


def same(response: str, expected_output: str) -> float | None:
    """1 if they are the same."""
    if response == "raise":
        raise OSError("no way there")
    return None if response == "lost" else float(response == expected_output)


def by_task(function: Callable[..., Any], reply: str, **fields: Any) -> float:
    """Calls it as 0.4 does: with those of the available values that its signature names."""
    available = {"task": SimpleNamespace(**fields), "trace": SimpleNamespace(last_reply=reply), "runtime": None}
    names = inspect.signature(function).parameters
    called = function(**{name: value for name, value in available.items() if name in names})
    assert inspect.isawaitable(called)
    return asyncio.run(_float(called))


def by_rubric(function: Callable[..., Any], completion: Any, **columns: Any) -> tuple[float, dict[str, Any]]:
    """Calls it as a `Rubric` does: with all values if it takes keywords; an exception counts as 0."""
    state: dict[str, Any] = {"error": None}
    signature = inspect.signature(function)
    assert any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
    objects = {"prompt": "p", "completion": completion, "state": state, "parser": object(), "task": None, **columns}
    try:
        return asyncio.run(_float(function(**objects))), state
    except Exception:
        return 0.0, state


async def _float(value: Any) -> float:
    return float(await value)


def test_a_reward_of_a_task() -> None:
    reward = for_verifiers(same, fields={"expected_output": "answer"})
    assert inspect.iscoroutinefunction(reward)
    assert reward.__name__ == "same"
    assert [by_task(reward, reply, answer="a") for reply in ("a", "b")] == [1.0, 0.0]


@pytest.mark.parametrize("reply", ["lost", "raise"])
def test_what_has_no_reward_raises_in_a_task(reply: str) -> None:
    with pytest.raises((UnscoredError, OSError), match=r"gave no number|no way there"):
        by_task(for_verifiers(same), reply, expected_output="a")


@pytest.mark.parametrize(
    "completion",
    [
        "a",
        [{"role": "assistant", "content": "a"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}, {"role": "tool", "content": "b"}],
        [SimpleNamespace(role="assistant", content="a")],
    ],
)
def test_a_reward_of_a_rubric(completion: Any) -> None:
    assert by_rubric(for_verifiers(same), completion, expected_output="a") == (1.0, {"error": None})
    assert by_rubric(for_verifiers(same), completion, info={"expected_output": "b"}) == (0.0, {"error": None})


@pytest.mark.parametrize(
    ("completion", "columns", "cause"),
    [
        ("lost", {"expected_output": "a"}, "gave no number"),
        ("raise", {"expected_output": "a"}, "no way there"),
        ("a", {"expected": "a"}, "expected_output"),
        (None, {"expected_output": "a"}, "no completion"),
    ],
)
def test_what_has_no_reward_is_no_zero_in_a_rubric(completion: Any, columns: dict[str, Any], cause: str) -> None:
    value, state = by_rubric(for_verifiers(same), completion, **columns)
    assert math.isnan(value)
    assert cause in str(state["error"])
