"""The report of a run in which the package itself fails during a test."""

from __future__ import annotations

import json

import pytest

SUITE = """
import pytest
from pytest_rewardkit import Case, assert_cases, score_cases
from pytest_rewardkit.scorers import cases

real = cases.judge

def judge(case, answer, matching):
    if answer.value == "break":
        raise RuntimeError("a fault of ours")
    return real(case, answer, matching)

@pytest.fixture(autouse=True)
def broken(monkeypatch):
    monkeypatch.setattr(cases, "judge", judge)

CASE = [Case(call="f", expected=1)]

def test_good(sandbox):
    assert_cases(sandbox, "f = lambda: 1", CASE)

def test_asserted(sandbox):
    assert_cases(sandbox, "f = lambda: 'break'", CASE)

def test_scored(sandbox):
    assert score_cases(sandbox, "f = lambda: 'break'", CASE).value is None
"""


def test_it_is_in_every_figure(pytester: pytest.Pytester, plugin_args: tuple[str, ...]) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest(
        *plugin_args,
        "--rewardkit",
        "--rewardkit-fail-under=0.1",
        "--rewardkit-artifacts=kept",
        "--rewardkit-results=results.jsonl",
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*gate FAILED: pytest-rewardkit itself failed at 2 tests, please report it: *"])
    lines = [json.loads(line) for line in (pytester.path / "results.jsonl").read_text().splitlines()]
    verdicts = {line["node_id"].partition("::")[2]: line["verdict"] for line in lines if line["type"] == "attempt"}
    assert verdicts == {"test_good": "passed", "test_asserted": "unscored", "test_scored": "unscored"}
    assert lines[-1]["figures"]["strict_mean"] == pytest.approx(1 / 3)
    kept = list((pytester.path / "kept").glob("*/fault.txt"))
    assert any("RuntimeError: a fault of ours" in path.read_text() for path in kept)
