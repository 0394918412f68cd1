"""The results file of a run: the same with any number of workers, whole, and kept if the run is killed."""

import json
import signal
import sys

import pytest
from jsonschema import Draft202012Validator

from pytest_rewardkit.local.guest.plan import Level
from pytest_rewardkit.reports.results.file import read
from pytest_rewardkit.reports.results.lines import schema

SUITE = """
    import pytest
    from pytest_rewardkit import Part, Reward

    def test_right(reward):
        reward.record(1.0)

    @pytest.mark.reward(threshold=0.5, group="sorting", weight=2)
    def test_under_threshold(reward):
        reward.record(Reward.from_parts([Part("adds", 0.5, expected="1", actual="2"), Part("sorts", 0.0)]))

    @pytest.mark.reward
    def test_unscored():
        raise OSError("no route to host")

    @pytest.mark.xfail
    @pytest.mark.reward
    def test_expected_to_fail():
        assert False

    @pytest.mark.parametrize("n", range(20))
    def test_many(reward, n):
        reward.record(n / 20)

    def test_plain():
        assert False
"""
VARIES = ("started", "ended", "seconds", "duration", "workers", "options", "command", "seed")


@pytest.fixture
def results(pytester):
    """The lines that a run wrote, each validated against the schema."""
    validator = Draft202012Validator(schema())

    def lines_of(name="results.jsonl"):
        lines = [json.loads(line) for line in (pytester.path / name).read_text("utf-8").splitlines()]
        for line in lines:
            validator.validate(line)
        assert [line["type"] for line in lines] == ["run", *["attempt"] * (len(lines) - 2), "end"]
        return lines

    return lines_of


def comparable(lines):
    """Lines without the parts that differ between runs, in the order of collection."""
    kept = [{key: value for key, value in line.items() if key not in VARIES} for line in lines]
    return sorted(kept, key=lambda line: (line["type"], line.get("index", -1), line.get("attempt", 0)))


def test_a_line_for_each_attempt(run, pytester, results):
    pytester.makepyfile(test_suite=SUITE)
    result = run("--rewardkit-results=results.jsonl", "--rewardkit-fail-under=0.5")
    first, *attempts, end = results()
    assert first["sandboxes"]["provider"] == "local"
    assert first["sandboxes"]["isolation"] in [level.value for level in Level]
    assert first["versions"]["pytest"] == pytest.__version__
    assert first["options"]["fail_under"] == 0.5
    by_name = {line["node_id"].rpartition("::")[2]: line for line in attempts}
    assert len(by_name) == len(attempts) == 24
    under = by_name["test_under_threshold"]
    assert (under["outcome"], under["reward"], under["verdict"], under["group"]) == (
        "failed",
        0.25,
        "partial",
        "sorting",
    )
    assert (under["threshold"], under["weight"], under["index"], under["line"]) == (0.5, 2, 1, 7)
    assert [part["name"] for part in under["parts"]] == ["adds", "sorts"]
    assert by_name["test_unscored"]["reward"] is None
    assert by_name["test_unscored"]["reason"] == "the test raised OSError: no route to host"
    assert by_name["test_expected_to_fail"]["outcome"] == "xfailed"
    assert end["exit_status"] == result.ret == 1
    assert (end["complete"], end["missing"]) == (True, [])
    assert end["figures"]["tests"] == 24
    assert [(gate["name"], gate["state"]) for gate in end["gates"]] == [("run", "failed")]
    result.stdout.fnmatch_lines([f"results: {pytester.path / 'results.jsonl'}"])


@pytest.mark.parametrize("distribution", ["--dist=load", "--dist=loadfile", "--dist=worksteal", "--dist=loadgroup"])
def test_the_same_however_it_is_distributed(pytester, results, distribution):
    pytester.makepyfile(test_suite=SUITE, test_other=SUITE)
    args = ("--rewardkit", "--rewardkit-fail-under=0.5", "--rewardkit-results")
    alone = pytester.runpytest(*args, "alone.jsonl")
    spread = pytester.runpytest(*args, "spread.jsonl", "-n2", distribution)
    assert comparable(results("alone.jsonl")) == comparable(results("spread.jsonl"))
    assert alone.ret == spread.ret == 1


def test_reruns_are_attempts(run, pytester, results):
    pytester.makepyfile(
        """
        import pytest
        tries = []

        @pytest.mark.flaky(reruns=2)
        @pytest.mark.reward(threshold=1.0)
        def test_flaky(reward):
            tries.append(1)
            reward.record(len(tries) / 2)
        """
    )
    assert run("--rewardkit-results=results.jsonl").ret == 0
    found = [(line["attempt"], line["outcome"], line["reward"]) for line in results()[1:-1]]
    assert found == [(1, "rerun", 0.5), (2, "passed", 1.0)]
    assert results()[-1]["figures"]["reruns"] == 1


def test_a_worker_that_dies_leaves_a_line(pytester, results):
    pytester.makepyfile(
        """
        import os

        def test_crash():
            os._exit(1)

        def test_right(reward):
            reward.record(1.0)
        """
    )
    result = pytester.runpytest("--rewardkit", "-n2", "--rewardkit-results=results.jsonl", "--rewardkit-fail-under=0.9")
    lines = {line["node_id"].rpartition("::")[2]: line for line in results()[1:-1]}
    assert (lines["test_crash"]["verdict"], lines["test_crash"]["reward"]) == ("crashed", None)
    assert lines["test_right"]["reward"] == 1.0
    assert results()[-1]["figures"]["strict_mean"] == 0.5
    result.stdout.fnmatch_lines(["gate FAILED: mean 0.50 < 0.9, 1 unscored test counting as 0"])


def test_a_run_that_is_killed_keeps_what_it_had(pytester, plugin_args):
    pytester.makepyfile(
        """
        import os, pathlib, signal, time

        def test_first(reward):
            reward.record(0.25)

        def test_second(reward):
            reward.record(0.5)

        def test_third(reward, request):
            results = request.config.rootpath / "results.jsonl"
            deadline = time.monotonic() + 300
            while results.read_text().count("attempt") < 4:  # two lines say it twice each
                assert time.monotonic() < deadline
            worker = hasattr(request.config, "workerinput")
            os.kill(os.getppid() if worker else os.getpid(), signal.SIGKILL)
            if worker:
                signal.pause()
        """
    )
    result = pytester.run(
        sys.executable, "-m", "pytest", "--rewardkit", "--rewardkit-results=results.jsonl", *plugin_args, timeout=300
    )
    assert result.ret == -signal.SIGKILL
    stored = read(pytester.path / "results.jsonl")
    assert sorted(test.value for test in stored.ledger.tests) == [0.25, 0.5]
    assert stored.unfinished == "results.jsonl is cut off: its run was killed"


def test_a_run_that_is_stopped_says_so(run, pytester, results):
    pytester.makepyfile("def test_wrong(reward):\n    reward.record(0.0)\n    assert False\n\ndef test_b(): pass\n")
    run("--rewardkit-results=results.jsonl", "--rewardkit-fail-under=0", "-x")
    end = results()[-1]
    assert end["complete"] is False
    assert [gate["state"] for gate in end["gates"]] == ["failed"]


def test_files_that_cannot_be_collected_are_counted(run, pytester, results):
    pytester.makepyfile(test_good="def test_right(reward): reward.record(1.0)", test_bad="import nothing_of_this_name")
    result = run("--rewardkit-results=results.jsonl", "--rewardkit-fail-under=0", "--continue-on-collection-errors")
    assert results()[-1]["uncollected"] == 1
    result.stdout.fnmatch_lines(["gate FAILED: 1 file could not be collected"])
    assert result.ret == 1


def test_without_a_terminal(run, pytester, results):
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-results=results.jsonl", "-p", "no:terminal")
    assert len(results()) == 26


def test_compressed(run, pytester):
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-results=made/results.jsonl.gz")
    stored = read(pytester.path / "made" / "results.jsonl.gz")
    assert len(stored.ledger.tests) == 24
    assert stored.unfinished == ""


def test_nothing_is_written_where_nothing_is_run(run, pytester):
    pytester.makepyfile(test_suite=SUITE)
    run("--rewardkit-results=results.jsonl", "--collect-only")
    assert not (pytester.path / "results.jsonl").exists()


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(run, pytester):
    pytester.makepyfile(test_suite=SUITE)
    (pytester.path / "results.jsonl").mkdir()
    result = run("--rewardkit-results=results.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --rewardkit-results: *results.jsonl is a directory; name a file in it"])


def test_without_rewardkit_the_option_is_refused(pytester):
    result = pytester.runpytest("--rewardkit-results=results.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --rewardkit-results writes nothing without --rewardkit"])


def test_a_disk_that_is_full_fails_the_run_in_the_end_and_no_test(pytester, plugin_args):
    pytester.makepyfile(
        test_suite="def test_right(reward): reward.record(1.0)\ndef test_too(reward): reward.record(1.0)"
    )
    pytester.makeconftest(
        """
        import os, resource

        def pytest_sessionstart(session):
            if not hasattr(session.config, "workerinput"):
                # From now on no file may become larger than this one is.
                size = os.stat(session.config.rootpath / "results.jsonl").st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        def pytest_sessionfinish():
            # The terminal writes to a file as well.
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        """
    )
    args = ("--rewardkit", "--rewardkit-results=results.jsonl", "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*args, *plugin_args)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["results are incomplete: *File too large*"])
    assert result.ret == 1
    assert read(pytester.path / "results.jsonl").unfinished.endswith("its run was killed")
