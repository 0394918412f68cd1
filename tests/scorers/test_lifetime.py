"""A candidate does not outlive its sandbox: what runs long earns its reward, and what runs too long is a timeout."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import AsyncSandbox, Sandbox
from scorers.conftest import address_of

from pytest_rewardkit import Case, asynchronous, score_cases, score_output
from pytest_rewardkit.datasets.testcode.test_runner import IDLE_SECONDS, TestCode, TestRunner
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes import lifetime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_rewardkit import Reward
    from pytest_rewardkit.local.handle import LocalServer


@pytest.fixture
def short(address: dict[str, str]) -> Iterator[Sandbox]:
    """A sandbox of two seconds."""
    sandbox = Sandbox.create(timeout=2, **address)
    yield sandbox
    sandbox.kill()


def test_a_slow_candidate_is_right(short: Sandbox) -> None:
    assert score_output(short, "import time; time.sleep(2.2); print('hi')", "hi").value == 1.0


def test_a_candidate_that_uses_up_each_limit_is_a_timeout(short: Sandbox) -> None:
    cases = [Case(call="f", args=[n], expected=n) for n in range(5)]
    reward = score_cases(short, "def f(n):\n    while True: pass", cases, time_limit=0.5)
    assert (reward.value, reward.verdict) == (0.0, Verdict.TIMEOUT)


def test_an_awaited_one_is_right_too(server: LocalServer) -> None:
    async def scored() -> tuple[Reward, Reward]:
        direct = await AsyncSandbox.create(timeout=2, **address_of(server))
        candidate = "import time; time.sleep(2.2); print('hi')"
        # Then one that is used later than it was to end, because a first scorer has prolonged it.
        rewards = (
            await asynchronous.score_output(direct, candidate, "hi"),
            await asynchronous.score_output(direct, candidate, "ho"),
        )
        assert (await direct.get_info()).end_at - datetime.now(UTC) <= timedelta(seconds=lifetime.USUAL_LIFETIME)
        await direct.kill()
        return rewards

    assert [reward.value for reward in asyncio.run(scored())] == [1.0, 0.0]


def test_the_sandbox_of_a_row_s_test_waits_for_a_slow_candidate(address: dict[str, str]) -> None:
    with Sandbox.create(timeout=100, **address) as sandbox, TestRunner(lambda: sandbox) as runner:
        lifetime.share_life(sandbox, lifetime.Life.of_new(100))
        run = runner.begin(TestCode("def check(f):\n    assert f(1) == 1\n", "f"))
        assert run.state.operations
        left = (sandbox.get_info().end_at - datetime.now(UTC)).total_seconds()
        assert IDLE_SECONDS < left <= lifetime.USUAL_LIFETIME


def test_a_longer_life_is_left_alone(address: dict[str, str]) -> None:
    with Sandbox.create(timeout=900, **address) as sandbox:
        ends = sandbox.get_info().end_at
        lifetime.outlast(sandbox, 60)
        assert sandbox.get_info().end_at == ends
        lifetime.share_life(sandbox, lifetime.Life.of_new(10))
        lifetime.outlast(sandbox, 2000)
        assert (sandbox.get_info().end_at - ends).total_seconds() > 1000


def test_a_service_that_refuses_is_asked_once(short: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(**options: object) -> None:
        asked.append(short.sandbox_id)
        raise OSError("refused")

    monkeypatch.setattr(short, "get_info", refuse)
    lifetime.outlast(short, 30)
    lifetime.outlast(short, 30)
    assert asked == [short.sandbox_id]
