"""A candidate does not outlive its sandbox: what runs long earns its reward, and what runs too long is a timeout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import Sandbox

from pytest_rewardkit import Case, score_cases, score_output
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.sandboxes import lifetime

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def test_a_longer_life_is_left_alone(address: dict[str, str]) -> None:
    with Sandbox.create(timeout=900, **address) as sandbox:
        ends = sandbox.get_info().end_at
        lifetime.outlast(sandbox, 60)
        assert sandbox.get_info().end_at == ends
        lifetime.note(sandbox, 10)
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
