"""A run compared with an earlier one: the report, and what fails the run."""

import json

import pytest

from pytest_rewardkit.reports.results.file import read

SUITE = """
    import json, pathlib, pytest

    REWARDS = json.loads(pathlib.Path(__file__).with_name("rewards.json").read_text())

    @pytest.mark.parametrize("name", REWARDS)
    def test_it(name, reward):
        reward.record(REWARDS[name])
"""


@pytest.fixture
def rewarded(pytester, run):
    """Run a suite in which each test earns the given reward."""
    pytester.makepyfile(test_suite=SUITE)

    def run_with(rewards, *args):
        pytester.makefile(".json", rewards=json.dumps(rewards))
        return run(*args)

    return run_with


def test_changes_are_shown(rewarded):
    rewarded({"a": 1.0, "b": 0.5, "c": 0.5, "d": 0.25}, "--rewardkit-results=old.jsonl")
    result = rewarded({"a": 0.25, "b": 0.5, "c": 1.0, "e": 1.0}, "--rewardkit-baseline=old.jsonl")
    result.stdout.fnmatch_lines(
        [
            "baseline old.jsonl: 1 worse, 1 better, 1 new, 1 same, 1 gone",
            "mean of the 3 tests in both 0.67 -> 0.58, change -0.08, 95 % interval -0.75 to +0.50",
            "      worse   1.00 -> 0.25  test_suite.py::test_it[[]a]",
            "      gone    0.25 -> -  test_suite.py::test_it[[]d]",
            "      better  0.50 -> 1.00  test_suite.py::test_it[[]c]",
        ]
    )
    assert result.ret == 0


def test_a_regression_fails_the_run_and_names_the_worst(rewarded, pytester):
    rewarded({"a": 1.0, "b": 0.5}, "--rewardkit-results=old.jsonl")
    args = ("--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression", "--rewardkit-results=new.jsonl")
    result = rewarded({"a": 0.25, "b": 0.5}, *args)
    result.stdout.fnmatch_lines(
        [
            "gate regression FAILED: 1 of 2 tests worse: test_suite.py::test_it[[]a] 1.00 -> 0.25",
            "!*reward gate regression: 1 of 2 tests worse*!",
        ]
    )
    assert result.ret == 1
    end = read(pytester.path / "new.jsonl").end
    assert (end["exit_status"], end["gates"][0]["name"], end["gates"][0]["state"]) == (1, "regression", "failed")


def test_no_regression(rewarded):
    rewarded({"a": 1.0, "b": 0.5}, "--rewardkit-results=old.jsonl")
    args = ("--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression")
    result = rewarded({"a": 1.0, "b": 0.75}, *args)
    result.stdout.fnmatch_lines(["gate regression passed: none of 2 tests worse"])
    assert result.ret == 0


def test_with_a_confidence_the_mean_decides(rewarded):
    old = {f"t{number}": 0.5 for number in range(20)}
    rewarded(old, "--rewardkit-results=old.jsonl")
    args = ("--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression", "--rewardkit-confidence=0.95")
    result = rewarded(old | {"t3": 0.25}, *args)
    result.stdout.fnmatch_lines(["gate regression passed: no loss shown: mean change -0.01, 95 % interval *"])
    assert result.ret == 0
    result = rewarded(dict.fromkeys(old, 0.25), *args)
    result.stdout.fnmatch_lines(["gate regression FAILED: mean change -0.25, 95 % interval -0.25 to -0.25; worst: *"])
    assert result.ret == 1


def test_it_fails_closed_where_tests_are_missing(rewarded):
    rewarded({"a": 1.0, "b": 0.5}, "--rewardkit-results=old.jsonl")
    args = ("--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression")
    result = rewarded({"a": 1.0, "b": 0.5}, *args, "-k", "a]")
    result.stdout.fnmatch_lines(
        ["gate regression FAILED: 1 test of the baseline earned no reward in this run: test_suite.py::test_it[[]b]"]
    )
    assert result.ret == 1


def test_a_worker_that_dies_is_no_improvement(pytester):
    pytester.makepyfile(test_suite="def test_a(reward): reward.record(1.0)\ndef test_b(reward): reward.record(0.0)")
    pytester.runpytest("--rewardkit", "--rewardkit-results=old.jsonl")
    pytester.makepyfile(
        test_suite="""
        import os
        def test_a(reward): reward.record(1.0)
        def test_b(reward): os._exit(1)
        """
    )
    result = pytester.runpytest(
        "--rewardkit", "--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression", "-n2"
    )
    result.stdout.fnmatch_lines(
        ["gate regression FAILED: 1 test scored in the baseline, and not in this run: test_suite.py::test_b"]
    )


def test_reruns_are_told_from_losses(run, pytester):
    pytester.makepyfile(
        test_suite="""
        import pytest
        tries = []

        @pytest.mark.flaky(reruns=1)
        @pytest.mark.reward(threshold=1.0)
        def test_flaky(reward):
            tries.append(1)
            reward.record(len(tries) - 1)
        """
    )
    run("--rewardkit-results=old.jsonl")
    result = run("--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression")
    result.stdout.fnmatch_lines(["gate regression passed: none of 1 test worse (1 flaky not counted)"])
    assert result.ret == 0


def test_new_results_may_take_the_place_of_the_baseline(rewarded, pytester):
    rewarded({"a": 1.0}, "--rewardkit-results=results.jsonl")
    args = ("--rewardkit-baseline=results.jsonl", "--rewardkit-results=results.jsonl")
    result = rewarded({"a": 0.25}, *args)
    result.stdout.fnmatch_lines(["      worse   1.00 -> 0.25  test_suite.py::test_it[[]a]"])
    assert [test.value for test in read(pytester.path / "results.jsonl").ledger.tests] == [0.25]


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        (["--rewardkit-baseline=absent.jsonl"], "--rewardkit-baseline: cannot read results from *absent.jsonl: *"),
        (["--rewardkit-baseline=test_suite.py"], "--rewardkit-baseline: *test_suite.py, line 1: not JSON"),
        (["--rewardkit-fail-on=regression"], "--rewardkit-fail-on=regression needs an earlier run to compare with: *"),
        (
            ["--rewardkit-fail-on=regresion"],
            "--rewardkit-fail-on: unknown value 'regresion'; did you mean 'regression'?",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(rewarded, args, wrong):
    result = rewarded({"a": 1.0}, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {wrong}"])
