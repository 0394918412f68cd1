"""The gate over a run decides the exit status, and every other plugin sees that."""

import json

import pytest

SUITE = """
    import pytest
    from pytest_rewardkit import Reward

    def test_right(reward):
        reward.record(1.0)

    def test_half(reward):
        reward.record(0.5)
"""
UNSCORED = """
    def test_unscored(reward):
        reward.record(Reward.unscored("the server went away"))
"""


def test_gate_passes_and_says_so(run, pytester):
    pytester.makepyfile(SUITE)
    result = run("--rewardkit-fail-under=0.75")
    result.stdout.fnmatch_lines(["gate passed: mean 0.75 >= 0.75"])
    assert result.ret == 0


def test_gate_fails_the_run_for_every_report(run, pytester):
    pytester.makepyfile(SUITE)
    pytester.makeconftest(
        """
        def pytest_sessionfinish(session, exitstatus):
            if not hasattr(session.config, "workerinput"):
                session.config.rootpath.joinpath("status").write_text(str(int(exitstatus)))
        """
    )
    result = run("--rewardkit-fail-under=0.8")
    result.stdout.fnmatch_lines(["gate FAILED: mean 0.75 < 0.8", "!*! reward gate: mean 0.75 < 0.8 !*!", "* 2 passed*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert json.loads((pytester.path / "status").read_text()) == 1


def test_unscored_tests_cannot_make_it_pass(run, pytester):
    pytester.makepyfile(SUITE + UNSCORED)
    result = run("--rewardkit-fail-under=0.7", "-qq")
    result.stdout.fnmatch_lines(["*reward gate: mean 0.50 < 0.7, 1 unscored test counting as 0*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_no_reward_at_all_cannot_make_it_pass(run, pytester):
    pytester.makepyfile("def test_plain(): pass")
    result = run("--rewardkit-fail-under=0")
    result.stdout.fnmatch_lines(["gate FAILED: no test earned a reward, so there is no mean"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_stopped_run_decides_nothing_and_says_so(run, pytester):
    pytester.makepyfile("def test_wrong(reward):\n    reward.record(0.0)\n    assert False\n" + "def test_b(): pass\n")
    result = run("--rewardkit-fail-under=0", "-x")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["mean 0.00 over 1 scored test*", "gate FAILED: *"])


def test_collect_only_decides_nothing(run, pytester):
    pytester.makepyfile(SUITE)
    assert run("--rewardkit-fail-under=1", "--collect-only").ret == 0
