"""Tests that should have a reward and ended without one are unscored in every figure, whatever their outcome."""

import json

import pytest

from pytest_rewardkit.run.worker.recorder import NOTHING_RECORDED


def attempts(pytester):
    lines = map(json.loads, pytester.path.joinpath("results.jsonl").read_text().splitlines())
    return {
        line["node_id"].rpartition("::")[2]: (line["reward"], line.get("reason", ""))
        for line in lines
        if line["type"] == "attempt"
    }


def test_nine_of_ten_rows_raise_before_they_record(run, pytester):
    rows = [{"id": f"r{number}", "response": "x"} for number in range(10)]
    pytester.path.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pytester.makepyfile(
        """
        import pytest
        from pytest_rewardkit import assert_reward

        @pytest.mark.reward_dataset("rows.jsonl")
        @pytest.mark.xfail(strict=False)
        def test_row(row):
            if row.id != "r3":
                raise ConnectionError("no model answers")
            assert_reward(1.0)
        """
    )
    result = run("--rewardkit-fail-under=0.5")
    result.stdout.fnmatch_lines(
        [
            "mean 1.00 over 1 scored test, 0.10 with 9 unscored as 0",
            "1 passed, 9 unscored",
            "gate FAILED: mean 0.10 < 0.5, 9 unscored tests counting as 0",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED


SUITE = """
    import pytest
    from pytest_rewardkit import assert_reward

    @pytest.fixture
    def judge(reward):
        return reward

    @pytest.fixture
    def broken():
        raise OSError("no disk")

    @pytest.fixture
    def skips():
        pytest.skip("not here")

    def test_raises(reward):
        raise KeyError("answer")

    def test_raises_through_a_fixture(judge):
        raise KeyError("answer")

    def test_set_up_fails(broken, reward):
        reward.record(1.0)

    def test_asserts_before(reward):
        assert 1 == 2, "no answer"
        reward.record(1.0)

    def test_asks_while_it_runs(request):
        request.getfixturevalue("reward")
        raise KeyError("answer")

    def test_passes_without(reward):
        pass

    @pytest.mark.xfail(strict=False)
    def test_may_fail(reward):
        raise KeyError("answer")

    @pytest.mark.xfail
    def test_calls_xfail(reward):
        pytest.xfail("known")

    @pytest.mark.xfail(run=False)
    def test_is_not_run(reward):
        reward.record(1.0)

    @pytest.mark.xfail(strict=False)
    def test_may_fail_and_records(reward):
        reward.record(0.25)
        assert False

    @pytest.mark.reward
    @pytest.mark.xfail(strict=False)
    def test_marked_may_fail():
        raise KeyError("answer")

    def test_skips_inside(reward):
        reward.record(1.0)
        pytest.skip("no key")

    @pytest.mark.skip
    def test_is_skipped(reward):
        reward.record(1.0)

    def test_skips_in_set_up(skips, reward):
        reward.record(1.0)

    def test_has_nothing_to_do_with_rewards():
        raise KeyError("answer")
"""


def test_of_each_way_to_end_without_one(run, pytester):
    pytester.makepyfile(SUITE)
    run("--rewardkit-results=results.jsonl")
    raised = "the test raised KeyError: 'answer'"
    assert attempts(pytester) == {
        "test_raises": (None, raised),
        "test_raises_through_a_fixture": (None, raised),
        "test_set_up_fails": (None, "the test raised OSError: no disk"),
        "test_asserts_before": (None, f"{NOTHING_RECORDED}: no answer assert 1 == 2"),
        "test_asks_while_it_runs": (None, raised),
        "test_passes_without": (None, NOTHING_RECORDED),
        "test_may_fail": (None, raised),
        "test_calls_xfail": (None, f"{NOTHING_RECORDED}: known"),
        "test_is_not_run": (None, "the test raised XFailed: [NOTRUN]"),
        "test_may_fail_and_records": (0.25, ""),
        "test_marked_may_fail": (None, raised),
    }


def test_a_worker_that_dies_before_the_reward_is_there(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import os
        import pytest

        @pytest.mark.xfail(strict=False)
        def test_dies(reward):
            os._exit(3)

        def test_lives(reward):
            reward.record(1.0)
        """
    )
    result = pytester.runpytest(
        "-p", "pytest_rewardkit.plugin", "-p", "xdist", "-n2", "--rewardkit", "--rewardkit-fail-under=0.6"
    )
    result.stdout.fnmatch_lines(["gate FAILED: mean 0.50 < 0.6, 1 unscored test counting as 0"])


NO_REWARDS = {
    "None": "None is not a reward; give a number in [0, 1], or Reward.unscored('why') where nothing can be said",
    "1.5": "a reward is a number in [0, 1], not 1.5",
    "-0.5": "a reward is a number in [0, 1], not -0.5",
    "float('nan')": "a reward is a number in [0, 1], not nan",
    "'0.5'": "a reward is a number in [0, 1], not '0.5'",
}


def test_what_is_no_reward_is_refused(run, pytester):
    calls = [(call, given) for call in ("reward.record", "assert_reward") for given in NO_REWARDS]
    tests = [f"def test_{number}(reward): {call}({given})" for number, (call, given) in enumerate(calls)]
    pytester.makepyfile("\n".join(["from pytest_rewardkit import assert_reward", *tests]))
    result = run("--rewardkit-results=results.jsonl")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert attempts(pytester) == {
        f"test_{number}": (None, f"the test raised RewardkitUsageError: {call}: {NO_REWARDS[given]}")
        for number, (call, given) in enumerate(calls)
    }


TIMEOUT = """
    import time
    import pytest

    @pytest.mark.timeout(0.2, method={method!r})
    @pytest.mark.reward
    def test_hangs():
        time.sleep(60)

    def test_is_done(reward):
        reward.record(1.0)

    @pytest.mark.reward
    def test_says_so_itself():
        pytest.fail("Timeout (>0.2s) from pytest-timeout.")
"""


def test_a_limit_of_the_whole_test_judges_nobody(run, pytester):
    pytester.makepyfile(TIMEOUT.format(method="signal"))
    run("-p", "pytest_timeout", "--rewardkit-results=results.jsonl")
    found = attempts(pytester)
    value, reason = found.pop("test_hangs")
    assert value is None
    assert reason.startswith("pytest-timeout ended the test, and that says nothing about its candidate: Timeout")
    assert found == {"test_is_done": (1.0, ""), "test_says_so_itself": (0.0, "Timeout (>0.2s) from pytest-timeout.")}


def test_a_limit_that_ends_the_process_leaves_the_test_without_a_number(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TIMEOUT.format(method="thread"))
    plugins = ("-p", "pytest_rewardkit.plugin", "-p", "xdist", "-p", "pytest_timeout")
    result = pytester.runpytest(*plugins, "-n2", "--rewardkit")
    result.stdout.fnmatch_lines(["*crashed*test_hangs*"])
    alone = pytester.runpytest_subprocess(*plugins, "--rewardkit", "--rewardkit-results=results.jsonl")
    assert alone.ret != 0
    assert "test_hangs" not in attempts(pytester)
