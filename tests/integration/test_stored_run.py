"""A run is decided and reported again from its results file, without running anything."""

import json
import xml.etree.ElementTree as ET

import pytest

from pytest_rewardkit.reports.results.file import read

SUITE = """
    import pathlib, pytest
    from pytest_rewardkit import Part, Reward

    if pathlib.Path(__file__).with_name("ran").exists():
        raise AssertionError("this was to be left alone")

    tries = []

    def test_right(reward):
        reward.record(1.0)

    @pytest.mark.reward(threshold=0.5, group="sorting")
    def test_under_threshold(reward):
        reward.record(Reward.from_parts([Part("adds", 0.5), Part("sorts", 0.0, expected="1", actual="2")]))

    @pytest.mark.reward
    def test_unscored():
        raise OSError("no route to host")

    @pytest.mark.xfail
    @pytest.mark.reward
    def test_expected_to_fail():
        assert False

    @pytest.mark.xfail
    @pytest.mark.reward
    def test_passes_against_expectation():
        pass

    @pytest.mark.flaky(reruns=1)
    @pytest.mark.reward(threshold=1.0)
    def test_flaky(reward):
        tries.append(1)
        reward.record(len(tries) / 2)

    @pytest.fixture
    def breaks():
        yield
        raise OSError("cannot be cleaned up")

    @pytest.mark.reward
    def test_broken_after(breaks):
        pass
"""
OUTCOMES = {"passed": 2, "failed": 2, "xfailed": 1, "xpassed": 1, "errors": 1}


@pytest.fixture
def stored(pytester, run):
    """A results file, and a suite that can no longer be imported."""
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-results=results.jsonl", "--rewardkit-fail-under=0.1")
    (pytester.path / "ran").touch()
    return read(pytester.path / "results.jsonl")


def comparable(stored):
    return [
        (test.node_id, [(attempt.outcome, attempt.record and attempt.record.to_wire()) for attempt in test.results])
        for test in stored.ledger.tests
    ]


def test_it_is_decided_and_reported_again(stored, run, pytester):
    result = run(
        "--rewardkit-from=results.jsonl",
        "--rewardkit-results=again.jsonl.gz",
        "--rewardkit-fail-under=0.9",
        "--junitxml=junit.xml",
        "-o",
        "junit_family=legacy",
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "rewardkit: results of results.jsonl, nothing is run",
            "*reward 0.25 < threshold 0.5*",
            "*failed in an earlier run: the test raised OSError: no route to host*",
            "0.25 * partial * test_suite.py::test_under_threshold",
            "mean 0.71 over 6 scored tests, 0.61 with 1 unscored as 0",
            "gate FAILED: mean 0.61 < 0.9, 1 unscored test counting as 0",
        ]
    )
    outcomes = result.parseoutcomes()
    assert {name: outcomes[name] for name in ("passed", "failed", "xfailed", "xpassed", "rerun")} == {
        "passed": 2,
        "failed": 2,
        "xfailed": 1,
        "xpassed": 1,
        "rerun": 1,
    }
    again = read(pytester.path / "again.jsonl.gz")
    assert comparable(again) == comparable(stored)
    assert again.run["started"] == stored.run["started"]
    properties = ET.parse(pytester.path / "junit.xml").findall(".//property[@name='evals.scores.reward.value']")
    assert sorted(float(entry.get("value")) for entry in properties) == [0.0, 0.25, 0.5, 1.0, 1.0, 1.0, 1.0]


def test_gates_may_be_others_than_then(stored, run):
    run_again = ("--rewardkit-from=results.jsonl", "-q")
    run(*run_again, "--rewardkit-fail-under=0.6").stdout.fnmatch_lines(["gate passed: mean 0.61 >= 0.6*"])
    run(*run_again, "--rewardkit-fail-under=0.7").stdout.fnmatch_lines(["*reward gate: mean 0.61 < 0.7*"])


def test_without_failures_it_passes(run, pytester):
    pytester.makepyfile(test_suite="def test_half(reward): reward.record(0.5)\ndef test_plain(): pass")
    run("--rewardkit-results=results.jsonl")
    again = ("--rewardkit-from=results.jsonl", "--rewardkit-fail-under=0.5")
    for args in [(), ("-p", "no:terminal"), ("nowhere",), ("-x", "-k", "nothing")]:
        assert run(*again, *args).ret == 0


def test_no_worker_is_started(run, pytester):
    pytester.makepyfile(test_suite="def test_half(reward): reward.record(0.5)")
    run("--rewardkit-results=results.jsonl")
    pytester.makeconftest("def pytest_sessionstart(session): assert not hasattr(session.config, 'workerinput')")
    result = run("--rewardkit-from=results.jsonl")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*workers*")


def test_tests_of_dead_workers_and_missing_ones_stay_so(pytester):
    pytester.makepyfile(
        test_suite="""
        import os

        def test_right(reward): reward.record(1.0)
        def test_crash(): os._exit(1)
        def test_missing(reward): reward.record(1.0)
        """
    )
    pytester.runpytest("--rewardkit", "-n1", "--max-worker-restart=0", "--rewardkit-results=results.jsonl")
    result = pytester.runpytest("--rewardkit", "--rewardkit-from=results.jsonl", "--rewardkit-fail-under=0")
    result.stdout.fnmatch_lines(
        [
            "   - * crashed * test_suite.py::test_crash",
            "      worker 'gw0' crashed while running 'test_suite.py::test_crash'",
            "1 collected test never ran to an end:",
            "      test_suite.py::test_missing",
            "gate FAILED: 1 collected test never ran to an end, so the mean is not known",
        ]
    )
    assert result.ret == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: lines[:-1], "results.jsonl is cut off: its run was killed"),
        (
            lambda lines: [*lines[:-1], json.dumps(json.loads(lines[-1]) | {"complete": False})],
            "the run of results.jsonl was stopped",
        ),
    ],
)
def test_no_gate_passes_on_results_that_are_not_whole(run, pytester, change, why):
    pytester.makepyfile(test_suite="def test_right(reward): reward.record(1.0)")
    run("--rewardkit-results=results.jsonl")
    path = pytester.path / "results.jsonl"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    result = run("--rewardkit-from=results.jsonl", "--rewardkit-fail-under=0")
    result.stdout.fnmatch_lines([f"gate FAILED: {why}"])
    assert result.ret == 1


def test_it_may_be_compared_with_a_baseline(stored, run, pytester):
    (pytester.path / "old.jsonl").write_bytes((pytester.path / "results.jsonl").read_bytes())
    again = ("--rewardkit-from=results.jsonl", "--rewardkit-baseline=old.jsonl", "--rewardkit-fail-on=regression")
    run(*again).stdout.fnmatch_lines(["gate regression passed: none of 6 tests worse (1 flaky, 1 new not counted)"])


def test_no_key_is_needed(pytester, run, monkeypatch):
    pytester.makepyfile(test_suite="def test_right(reward): reward.record(1.0)")
    run("--rewardkit-results=results.jsonl")
    assert run("--rewardkit-from=results.jsonl", "--rewardkit-provider=e2b").ret == 0
    assert run("--rewardkit-provider=e2b").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        (["--rewardkit-from=absent.jsonl"], "--rewardkit-from: cannot read results from *absent.jsonl: *"),
        (
            ["--rewardkit-from=results.jsonl", "--rewardkit-resume=results.jsonl"],
            "--rewardkit-from runs nothing, and --rewardkit-resume does: use one of them",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(pytester, run, args, wrong):
    pytester.makepyfile(test_suite="def test_right(reward): reward.record(1.0)")
    run("--rewardkit-results=results.jsonl")
    result = run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {wrong}"])
