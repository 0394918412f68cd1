"""Rows that attack their sandboxes, among others: what each earns, and what is left. The benchmark does it with 300."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.testcode import test_runner
from pytest_rewardkit.datasets.testcode.test_runner import TestCode, TestRunner

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
    monkeypatch.setattr(test_runner, "RENEWAL_SECONDS", -1.0)
    with TestRunner(create) as another:
        another.begin(TestCode("assert f(1) == 2"))
        another.begin(TestCode("assert f(1) == 2"))
    assert len(made) == 3
