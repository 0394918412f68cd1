"""Scorers, reward functions and whole datasets in awaitable form."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from scorers.conftest import address_of

from pytest_rewardkit import Reward, RewardkitUsageError, asynchronous, reward_function
from pytest_rewardkit import score_cases as blocking_score_cases
from pytest_rewardkit.asynchronous import MAX_IN_FLIGHT, awaitable, evaluate_dataset, score_cases
from pytest_rewardkit.sandboxes.twin import twin
from pytest_rewardkit.scorers.awaitable import in_thread
from pytest_rewardkit.trl import for_trl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.local.handle import LocalServer

CANDIDATE = "def add(a, b): return a + b"
CASES = [{"call": "add", "args": [1, 2], "expected": 3}, {"call": "add", "args": [1, 2], "expected": 4}]


@asynccontextmanager
async def asynchronous_sandbox(server: LocalServer) -> AsyncIterator[AsyncSandbox]:
    from e2b_code_interpreter import AsyncSandbox

    sandbox = await AsyncSandbox.create(**address_of(server))
    yield sandbox
    await sandbox.kill()


def test_scorers_take_an_asynchronous_sandbox(server: LocalServer) -> None:
    async def scored() -> tuple[list[Reward], Reward]:
        async with asynchronous_sandbox(server) as sandbox:
            assert twin(sandbox) is twin(sandbox)
            several = await asyncio.gather(*(score_cases(sandbox, CANDIDATE, CASES) for _ in range(3)))
            with pytest.raises(RewardkitUsageError, match=r"pytest_rewardkit\.asynchronous has one"):
                blocking_score_cases(sandbox, CANDIDATE, CASES)
            return several, await score_cases(sandbox=sandbox, candidate="1 +", cases=CASES)

    several, wrong = asyncio.run(scored())
    assert [reward.value for reward in several] == [0.5] * 3
    assert wrong.value == 0.0


def test_a_sandbox_of_either_kind(sandbox: Sandbox) -> None:
    assert asyncio.run(score_cases(sandbox, CANDIDATE, CASES)).value == 0.5


def test_each_scorer_has_its_form() -> None:
    import pytest_rewardkit

    scorers = {name for name in pytest_rewardkit.__all__ if name.startswith(("score_", "evaluate_"))}
    assert scorers == {name for name in asynchronous.__all__ if name.startswith(("score_", "evaluate_"))}
    for name in scorers:
        function = getattr(asynchronous, name)
        assert inspect.iscoroutinefunction(function)
        assert inspect.signature(function) == inspect.signature(getattr(pytest_rewardkit, name))


def test_as_many_are_in_flight_as_may_be() -> None:
    """The maximum number of calls meets, and one more waits for its turn."""
    meeting = threading.Barrier(MAX_IN_FLIGHT)

    @reward_function
    def meets(response: str) -> float:
        if response == "late":
            return 0.5
        meeting.wait()
        return 1.0

    async def judged() -> list[Reward]:
        return await asyncio.gather(*map(awaitable(meets), ["early"] * MAX_IN_FLIGHT + ["late"]))

    assert [reward.value for reward in asyncio.run(judged())] == [1.0] * MAX_IN_FLIGHT + [0.5]


def test_who_is_in_flight_may_await_more() -> None:
    """If calls that wait for another one held all turns, nothing would ever move."""
    meeting = threading.Barrier(MAX_IN_FLIGHT)

    def asks_again() -> int:
        meeting.wait()
        return asyncio.run(in_thread(lambda: 1))

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(in_thread(asks_again) for _ in range(MAX_IN_FLIGHT)))

    assert sum(asyncio.run(all_of_them())) == MAX_IN_FLIGHT


def test_an_asynchronous_function_needs_no_decorator() -> None:
    async def is_short(response: str) -> float:
        await asyncio.sleep(0)
        return float(len(response) < 3)

    assert asyncio.run(awaitable(is_short)("ab")) == 1.0


def test_a_trainer_awaits() -> None:
    def judge(response: str) -> float | None:
        return None if response == "lost" else float(len(response) > 1)

    rewards = awaitable(for_trl(judge, concurrency=2))
    assert inspect.iscoroutinefunction(rewards)
    assert rewards.__name__ == "judge"
    assert asyncio.run(rewards(completions=["a", "bb", "lost"])) == [0.0, 1.0, None]


ROWS = [
    {"id": number, "response": f"def add(a, b): return a + b + {number}", "test_cases": CASES} for number in range(4)
]


def test_a_dataset_is_evaluated_beside_other_things() -> None:
    beside: list[int] = []

    def judge(response: str, test_cases: Any, sandbox: Sandbox) -> Reward:
        if response.endswith("3"):
            raise OSError("lost")
        return blocking_score_cases(sandbox, response, test_cases)

    async def evaluated() -> list[float | None]:
        evaluation = asyncio.ensure_future(
            evaluate_dataset(judge, ROWS, ["test_cases"], concurrency=len(ROWS), progress=False)
        )
        while not evaluation.done():
            beside.append(1)
            await asyncio.wait([evaluation], timeout=0.01)
        return (await evaluation).rewards

    assert asyncio.run(evaluated()) == [0.5, 0.5, 0.0, None]
    assert len(beside) > 1


def test_datasets_take_turns_with_the_way_to_their_sandboxes() -> None:
    """Each points the SDK to its own server, through variables of the process."""
    from pytest_rewardkit.rewards import e2b_code_execution_reward

    async def both() -> list[list[float | None]]:
        rows = [{"id": 1, "response": "print(1)", "expected_output": "1"}]
        evaluations = (
            evaluate_dataset(e2b_code_execution_reward, rows, ["expected_output"], progress=False) for _ in range(2)
        )
        return [results.rewards for results in await asyncio.gather(*evaluations)]

    assert asyncio.run(both()) == [[1.0], [1.0]]
    assert "E2B_API_URL" not in os.environ


def test_a_dataset_that_is_cancelled_leaves_nothing() -> None:
    begun = threading.Semaphore(0)

    def judge(response: str, sandbox: Sandbox) -> None:
        begun.release()
        sandbox.run_code("import time; time.sleep(600)", timeout=600)

    async def cancelled() -> None:
        evaluation = asyncio.ensure_future(evaluate_dataset(judge, ROWS, concurrency=2, progress=False))
        for _ in range(2):
            await asyncio.to_thread(begun.acquire)
        evaluation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await evaluation

    asyncio.run(cancelled())
    assert not begun.acquire(blocking=False)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rewardkit-evaluate")]
