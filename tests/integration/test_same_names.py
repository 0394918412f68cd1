"""Tests that share a node id, and tests that several workers each run, are different tests and not reruns."""

import json

import pytest

WRONG = """
    import pytest

    @pytest.mark.reward(must_pass=True)
    def test_one(reward):
        reward.record(0.0)
        assert False
"""
RIGHT = """
    import pytest

    @pytest.mark.reward(must_pass=True)
    def test_one(reward):
        reward.record(1.0)
"""


def test_files_outside_of_the_root(run, pytester):
    (pytester.mkdir("elsewhere") / "pytest.ini").write_text("[pytest]\n")
    for name, suite in (("a", WRONG), ("b", RIGHT)):
        pytester.mkdir(name)
        pytester.makepyfile(**{f"{name}/test_x": suite})
    args = ("-c", "elsewhere/pytest.ini", "--import-mode=importlib", "--rewardkit-artifacts=kept")
    result = run(*args, "a", "b", "--rewardkit-results=results.jsonl")
    result.stdout.fnmatch_lines(
        [
            "pytest a/test_x.py::test_one",
            "0.00 *wrong_output*test_x.py::test_one",
            "mean 0.50 over 2 scored tests",
            "gate must_pass FAILED: 1 of 2 tests that must pass did not: test_x.py::test_one",
        ]
    )
    assert "rerun" not in result.stdout.str()
    assert len(list(pytester.path.joinpath("kept").iterdir())) == 1
    compared = run(*args, "a", "b", "--rewardkit-baseline=results.jsonl")
    compared.stdout.fnmatch_lines(["baseline results.jsonl: 2 same"])
    resumed = run(*args, "a", "b", "--rewardkit-resume=results.jsonl")
    resumed.stdout.fnmatch_lines(["mean 0.50 over 2 scored tests*", "2 tests kept from an earlier run"])


def test_a_file_that_is_given_twice(run, pytester):
    pytester.makepyfile(
        test_x="""
        import os
        import pytest

        @pytest.mark.reward(must_pass=True)
        @pytest.mark.parametrize("way", ["[a-b]"])
        def test_one(way, reward):
            try:
                os.mkdir("seen")
            except FileExistsError:
                reward.record(1.0)
            else:
                reward.record(0.0)
                assert False
        """
    )
    result = run("--keep-duplicates", "test_x.py", "test_x.py")
    result.stdout.fnmatch_lines(
        [
            "pytest 'test_x.py::test_one[[][[]a-b]]'",
            "mean 0.50 over 2 scored tests",
            "gate must_pass FAILED: 1 of 2 tests that must pass did not: test_x.py::test_one[[][[]a-b]]*",
        ]
    )


def test_attempts_at_each_stay_together(run, pytester):
    pytester.makepyfile(
        test_x="""
        import pytest

        @pytest.mark.reward(attempts=2, reduce="max")
        def test_one(reward, attempt):
            reward.record(0.5 * attempt)
        """
    )
    result = run("--keep-duplicates", "test_x.py", "test_x.py")
    result.stdout.fnmatch_lines(["mean 1.00 over 2 scored tests in 4 attempts"])


EACH = """
    import time
    import pytest

    @pytest.fixture
    def slow():
        yield
        time.sleep(0.2)

    @pytest.mark.reward(must_pass=True)
    def test_one(reward, slow, worker_id):
        reward.record(0.0 if worker_id == "gw0" else 1.0)
        assert worker_id != "gw0"

    @pytest.mark.reward(attempts=2, reduce="max")
    def test_tried(reward, attempt):
        reward.record(attempt / 2)
"""


@pytest.fixture
def each(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ("-p", "pytest_rewardkit.plugin", "-p", "xdist")
    return lambda *args: pytester.runpytest(*plugins, "--rewardkit", "--dist=each", "--tx=2*popen", *args)


def test_workers_that_run_all_tests_each(each, pytester):
    pytester.makepyfile(test_x=EACH)
    result = each("--rewardkit-results=results.jsonl")
    result.stdout.fnmatch_lines(
        [
            "0.00 *wrong_output*test_x.py::test_one@gw0*",
            "mean 0.75 over 4 scored tests in 6 attempts",
            "gate must_pass FAILED: 1 of 2 tests that must pass did not: test_x.py::test_one@gw0",
        ]
    )
    assert "rerun" not in result.stdout.str()
    lines = [json.loads(line) for line in pytester.path.joinpath("results.jsonl").read_text().splitlines()]
    attempts = [line for line in lines if line["type"] == "attempt"]
    assert {line["attempt"] for line in attempts} == {1}
    assert sorted(line["index"] for line in attempts) == list(range(6))
    assert {line["task"] for line in attempts if "task" in line} == {
        "test_x.py::test_tried@gw0",
        "test_x.py::test_tried@gw1",
    }
    again = each("--rewardkit-baseline=results.jsonl")
    again.stdout.fnmatch_lines(["baseline results.jsonl: 4 same"])
    stored = pytester.runpytest("-p", "pytest_rewardkit.plugin", "--rewardkit", "--rewardkit-from=results.jsonl")
    stored.stdout.fnmatch_lines(["mean 0.75 over 4 scored tests in 6 attempts"])


def test_a_worker_that_dies_where_each_runs_all(each, pytester):
    pytester.makepyfile(
        """
        import os

        def test_one(reward, worker_id):
            if worker_id == "gw0":
                os._exit(1)
            reward.record(1.0)
        """
    )
    result = each("--rewardkit-fail-under=0.9", "--max-worker-restart=0")
    result.stdout.fnmatch_lines(["*crashed*test_one@gw0*", "gate FAILED: *"])
