"""Asynchronous reward functions, and completions in the forms that trainers pass."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from pytest_rewardkit import RewardkitUsageError, reward_function
from pytest_rewardkit.trl import for_trl


@reward_function
async def is_short(response: str, limit: int = 5) -> float:
    await asyncio.sleep(0)
    return float(len(response) <= limit)


def test_an_asynchronous_function_is_awaited() -> None:
    assert is_short("abc").value == 1.0
    assert is_short("abcdef", limit=3).value == 0.0


def test_a_misspelt_field_is_named() -> None:
    @reward_function
    def judged(response: str, expected_output: str, **others: str) -> float:
        return float(response == expected_output + str(others))

    with pytest.raises(RewardkitUsageError, match=r"'expected_output', but got 'expected'; did you mean 'expected_o"):
        judged("x", expected="x")
    with pytest.raises(RewardkitUsageError, match=r"unexpected keyword argument 'limt'; did you mean 'limit'\?"):
        is_short("x", limt=2)


def test_where_an_event_loop_runs() -> None:
    async def judged() -> float | None:
        return is_short("abc").value

    assert asyncio.run(judged()) == 1.0


def test_what_it_raises_and_what_surrounds_it_is_its_callers() -> None:
    place: ContextVar[str] = ContextVar("place")
    place.set("here")

    @reward_function
    async def fails(response: str) -> float:
        raise ValueError(f"{response} {place.get()}")

    with pytest.raises(ValueError, match="x here"):
        fails("x")


@pytest.mark.parametrize(
    "completion",
    [
        "abcd",
        [{"role": "assistant", "content": "abcd"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "ab"}, {"type": "text", "text": "cd"}]}],
        [{"role": "assistant", "content": [{"type": "image"}, {"type": "text", "text": "abcd"}, {"text": None}]}],
        [{"role": "assistant", "content": ["ab", "cd"]}],
    ],
)
def test_completions_of_content_parts(completion: Any) -> None:
    seen: list[str] = []

    def reward(response: str) -> float:
        seen.append(response)
        return 1.0

    assert for_trl(reward)([completion]) == [1.0]
    assert seen == ["abcd"]


def test_a_message_without_a_text_is_empty() -> None:
    assert for_trl(is_short)([[{"role": "assistant", "content": None, "tool_calls": []}]]) == [1.0]
