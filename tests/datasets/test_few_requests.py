"""A row makes few requests to a local server: its interpreter starts with its first code and ends with its sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import evaluate_dataset
from pytest_rewardkit.datasets.testcode.scoring import score_test_code
from pytest_rewardkit.datasets.testcode.test_runner import TestCode

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit import Reward
    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner

ROW = {"task_id": "a", "prompt": "def f(n):\n", "entry_point": "f", "test": "def check(f):\n    assert f(1) == 2\n"}


@pytest.fixture
def asked(test_runner: TestRunner, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the SDK calls about interpreters, in any sandbox; that of the tests exists by then."""
    from e2b_code_interpreter import Sandbox

    test_runner.begin(TestCode("assert f(1) == 2", "f"))
    seen: list[str] = []

    def noted(name: str) -> None:
        call = getattr(Sandbox, name)

        def noting(*args: Any, **kwargs: Any) -> Any:
            seen.append(name)
            return call(*args, **kwargs)

        monkeypatch.setattr(Sandbox, name, noting)

    for name in ("create_code_context", "remove_code_context", "run_code"):
        noted(name)
    return seen


def score(sandbox: Sandbox, test_runner: TestRunner) -> Reward:
    return score_test_code(
        sandbox, ["def f(x): return 2 * x"], TestCode("assert f(1) == 2", "f"), test_runner=test_runner
    )


def test_a_users_sandbox_is_left_as_it_was(sandbox: Sandbox, test_runner: TestRunner, asked: list[str]) -> None:
    assert score(sandbox, test_runner).value == 1.0
    assert asked == ["run_code", "run_code", "run_code", "remove_code_context"]
    assert not [context for context in sandbox.list_code_contexts() if context.id.startswith("rewardkit-")]


def test_a_sandbox_that_ends_with_its_candidate_ends_its_interpreter(asked: list[str]) -> None:
    samples = [{"task_id": "a", "completion": "    return 2 * n\n"}]
    [result] = evaluate_dataset(
        None, [ROW], id="task_id", format="humaneval", samples=samples, provider="local", progress=False
    )
    assert result.reward.value == 1.0
    assert asked == ["run_code"] * 3  # two of them are for the tests


def test_another_server_nearby_gets_its_context_first(
    sandbox: Sandbox, test_runner: TestRunner, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_rewardkit.local.named_contexts.new_name", lambda: "no-such-context")
    assert score(sandbox, test_runner).value == 1.0
    first = ["run_code", "run_code", "remove_code_context"]  # nothing of the first try is left
    assert asked == [*first, "create_code_context", "run_code", "run_code", "remove_code_context"]


def test_a_server_elsewhere_gets_its_context_first(
    sandbox: Sandbox, test_runner: TestRunner, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_rewardkit.sandboxes.nearby._LOOPBACK", ())
    assert score(sandbox, test_runner).value == 1.0
    assert asked == ["run_code", "create_code_context", "run_code", "run_code", "remove_code_context"]


def test_a_home_that_is_gone_is_made_again(sandbox: Sandbox, test_runner: TestRunner) -> None:
    sandbox.run_code(
        "import os, contextlib\nwith contextlib.suppress(OSError):\n    os.rename('/home/user', '/tmp/user')"
    )
    assert score(sandbox, test_runner).value == 1.0
