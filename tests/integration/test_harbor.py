"""A run's files for Harbor's verifier and for readers of the Common Test Report Format."""

import json

import pytest

SUITE = """
    import pytest
    from pytest_rewardkit import assert_output

    @pytest.mark.reward(group="sums")
    def test_adds(sandbox):
        assert_output(sandbox, "print(1 + 1)", "2")

    @pytest.mark.reward(group="words", threshold=0.0)
    def test_says(reward):
        reward.record(0.5)
"""


def written(pytester, name):
    return json.loads((pytester.path / name).read_text("ascii"))


def test_the_reward_and_the_report_are_where_harbor_looks(run, pytester):
    pytester.makepyfile(test_suite=SUITE)
    planted = pytester.mkdir("verifier") / "reward.json"
    planted.write_text('{"reward": 1}')
    result = run("--rewardkit-harbor=verifier", "--rewardkit-ctrf=reports/ctrf.json")
    assert result.ret == 0
    assert written(pytester, "verifier/reward.json") == {"reward": 0.75, "sums": 1.0, "words": 0.5}
    report = written(pytester, "verifier/ctrf.json")["results"]
    assert {test["name"]: test["extra"]["reward"]["value"] for test in report["tests"]} == {
        "test_suite.py::test_adds": 1.0,
        "test_suite.py::test_says": 0.5,
    }
    assert written(pytester, "reports/ctrf.json")["results"]["tests"] == report["tests"]
    result.stdout.fnmatch_lines(["*reward for Harbor: *reward.json"])


def test_a_stored_run_gives_the_same(run, pytester):
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-results=results.jsonl", "--rewardkit-harbor=first")
    assert run("--rewardkit-from=results.jsonl", "--rewardkit-harbor=again").ret == 0
    assert written(pytester, "again/reward.json") == written(pytester, "first/reward.json")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def test_it(reward):\n    raise OSError('no route')", "*test_it is unscored*"),
        ("def test_plain():\n    pass", "*no test earned a reward"),
        ("import nothing_of_that_name", "*1 file could not be collected"),
    ],
)
def test_where_the_reward_is_not_known_there_is_none(run, pytester, body, reason):
    pytester.makepyfile(test_suite=body)
    planted = pytester.mkdir("verifier") / "reward.json"
    planted.write_text('{"reward": 1}')
    result = run("--rewardkit-harbor=verifier")
    assert result.ret != 0
    assert not planted.exists()
    result.stdout.fnmatch_lines([f"no reward for Harbor: {reason}"])


def test_a_folder_where_the_report_should_be_is_an_error(run, pytester):
    pytester.makepyfile(test_suite=SUITE)
    pytester.mkdir("ctrf.json")
    result = run("--rewardkit-ctrf=ctrf.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--rewardkit-ctrf: *ctrf.json is a directory; name a file in it"])
