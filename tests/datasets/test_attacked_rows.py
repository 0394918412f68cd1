"""Rows that attack their sandboxes, among others: each one's reward, and what is left. The benchmark has 300 rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.testcode import test_runner as test_running
from pytest_rewardkit.datasets.testcode.scoring import score_test_code
from pytest_rewardkit.datasets.testcode.test_runner import TestCode, TestRunner
from pytest_rewardkit.reward import Verdict
from pytest_rewardkit.scorers import own_time

if TYPE_CHECKING:
    import pytest
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.sandboxes.provider import Provider

ROOT = Path(__file__).parents[2]


def test_attacking_rows_earn_nothing_and_leave_the_others_alone() -> None:
    command = [sys.executable, "-m", "benchmarks.attacked", "--rows", "36", "-n", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'attack': 12" in done.stdout


def test_the_sandbox_of_the_tests_is_renewed_before_its_time_is_over(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Sandbox] = []

    def create() -> Sandbox:
        made.append(provider.create())
        return made[-1]

    with TestRunner(create) as one:
        one.begin(TestCode("assert f(1) == 2"))
        one.begin(TestCode("assert f(1) == 2"))
        assert len(made) == 1
    monkeypatch.setattr(test_running, "RENEWAL_SECONDS", -1.0)
    with TestRunner(create) as another:
        another.begin(TestCode("assert f(1) == 2"))
        another.begin(TestCode("assert f(1) == 2"))
    assert len(made) == 3


def test_answers_that_keep_the_host_busy_end_the_test(
    provider: Provider, test_runner: TestRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_rounds = TestCode("for number in range(f(3)):\n    assert f(number) == number\n", "f")
    sandbox = provider.create()
    try:
        in_time = score_test_code(sandbox, ["def f(x): return x"], in_rounds, test_runner=test_runner)
        monkeypatch.setattr(own_time, "OWN_SECONDS", 0.0)
        late = score_test_code(sandbox, ["def f(x): return x"], in_rounds, test_runner=test_runner)
    finally:
        sandbox.kill()
    assert in_time.value == 1.0
    assert (late.value, late.verdict) == (0.0, Verdict.TIMEOUT)
    assert "processor time" in late.parts[0].reason


def test_a_row_that_ends_what_it_is_forked_by_is_no_other_rows_end(provider: Provider, test_runner: TestRunner) -> None:
    double = ["def f(x): return 2 * x"]
    sandbox = provider.create()
    try:
        for ending in ("os.kill(os.getppid(), 9)", "os.fork()", "os.closerange(3, 1000)"):
            score_test_code(sandbox, double, TestCode(f"import os\n{ending}", "f"), test_runner=test_runner)
            good = score_test_code(sandbox, double, TestCode("assert f(1) == 2", "f"), test_runner=test_runner)
            assert good.value == 1.0
    finally:
        sandbox.kill()


def test_rows_tests_begin_in_empty_directories_and_leave_none(provider: Provider, test_runner: TestRunner) -> None:
    sandbox = provider.create()
    leaving = "import os\nassert f(1) == 2\nassert os.listdir() == []\nopen('left', 'w').close()\n"
    try:
        for _ in range(2):
            test = TestCode(leaving, "f")
            reward = score_test_code(sandbox, ["def f(x): return 2 * x"], test, test_runner=test_runner)
            assert reward.parts[0].value == 1.0
    finally:
        sandbox.kill()
