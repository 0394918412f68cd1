"""Runs of a share of the tests, and the run that joins and decides their results."""

import json
import re
import shutil
import signal
import sys
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from pytest_rewardkit.reports.results.file import read
from pytest_rewardkit.reports.results.lines import schema

SUITE = """
    import pytest

    @pytest.mark.parametrize("number", range(12))
    def test_row(number, reward):
        reward.record(number / 11)

    @pytest.mark.reward(attempts=3, reduce="max", group="tries", threshold=0.5)
    def test_tries(attempt, reward):
        reward.record({1: 0.5, 2: 1.0, 3: 0.75}[attempt])

    @pytest.mark.reward(must_pass=True)
    def test_must_pass():
        pass

    @pytest.mark.skip
    @pytest.mark.reward(group="skipped")
    def test_skipped():
        pass

    def test_plain():
        pass
"""
GATES = "[tool.rewardkit]\nfail_under = 0.5\n[tool.rewardkit.groups.tries]\nfail_under = 0.9\n"
OF = 2


@pytest.fixture
def suite(pytester):
    pytester.makepyfile(test_suite=SUITE)
    pytester.makepyprojecttoml(GATES)
    return pytester


@pytest.fixture
def shards(suite, run):
    """The results of all shards, each in its own folder, as CI leaves them."""
    for number in range(1, OF + 1):
        assert shard(run, number).ret == 0
    return suite.path / "shards"


def shard(run, number, *args):
    return run(f"--rewardkit-shard={number}/{OF}", f"--rewardkit-results=shards/{number}/results.jsonl", *args)


def rewards(result):
    """The section of rewards, without durations and file locations."""
    text = result.stdout.str()
    section = text[re.search("^=+ rewards =+$", text, re.MULTILINE).end() : text.rindex("\n=")]
    return re.sub(r"slowest: (.*\n)(         .*\n)*|results: .*", "", section).strip()


def names(path):
    return [test.node_id.rpartition("::")[2] for test in read(path).ledger.tests]


def test_whole_shards_are_the_same_run(shards, suite, run):
    whole = run("--rewardkit-results=whole.jsonl", "-v")
    joined = run("--rewardkit-from=shards", "--rewardkit-results=joined.jsonl", "-v")
    assert joined.ret == whole.ret == 0
    joined.stdout.fnmatch_lines(["rewardkit: results of 2 shards, nothing is run"])
    joined.stdout.fnmatch_lines(["gate passed: *", "gate tries passed: *", "gate must_pass passed: *"])
    assert rewards(joined) == rewards(whole)
    assert names(suite.path / "joined.jsonl") == names(suite.path / "whole.jsonl")
    files = [f"--rewardkit-from=shards/{number}/results.jsonl" for number in (2, 1)]
    assert rewards(run(*files, "-v")) == rewards(whole)


def test_in_a_shard_no_gate_decides(suite, run):
    result = shard(run, 1, "--rewardkit-fail-under=0.99", "--rewardkit-html=report.html")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "gate waiting: this is shard 1 of 2, and gates decide when all are joined",
            "gate tries waiting: this is shard 1 of 2, and gates decide when all are joined",
            "shard 1 of 2: 9 of 18 tests; gates decide when all are joined by --rewardkit-from",
        ]
    )
    assert '"waiting"' in (suite.path / "report.html").read_text()


def test_a_failed_test_fails_its_shard_and_the_run(pytester, run):
    pytester.makepyfile(
        test_suite="""
        def test_right(reward): reward.record(1.0)

        def test_wrong(reward):
            reward.record(0.0)
            assert False
        """
    )
    assert [shard(run, number).ret for number in (1, 2)] == [0, 1]
    result = run("--rewardkit-from=shards")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_gate_of_the_command_line_holds_in_the_joined_run(suite, run):
    for number in (1, 2):
        assert shard(run, number, "--rewardkit-fail-under=0.99").ret == 0
    result = run("--rewardkit-from=shards")
    result.stdout.fnmatch_lines(["gate FAILED: mean 0.57 < 0.99"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert run("--rewardkit-from=shards", "--rewardkit-fail-under=0.5").ret == 0


def test_a_missing_and_a_killed_shard_fail_the_run_and_are_named(shards, suite, run):
    killed = shards / "2" / "results.jsonl"
    killed.write_bytes(killed.read_bytes()[:-100])
    result = run("--rewardkit-from=shards", "--rewardkit-results=joined.jsonl", "--junitxml=junit.xml")
    why = "shard 2 of 2: results.jsonl is cut off: its run was killed"
    result.stdout.fnmatch_lines([f"gate shards FAILED: {why}", f"gate FAILED: {why}"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(ET.parse(suite.path / "junit.xml").findall(".//testcase")) == len(names(suite.path / "joined.jsonl")) > 9
    again = run("--rewardkit-from=joined.jsonl")
    again.stdout.fnmatch_lines(["gate FAILED: the run of joined.jsonl was stopped"])
    suite.path.joinpath("pyproject.toml").unlink()
    shutil.rmtree(shards / "2")
    result = run("--rewardkit-from=shards")
    result.stdout.fnmatch_lines(
        ["rewardkit: results of 1 of 2 shards, nothing is run", "gate shards FAILED: shard 2 of 2 is missing"]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_shard_that_is_there_twice_is_refused(shards, run):
    shutil.move(shards / "1", shards / "first")
    shutil.copytree(shards / "first", shards / "again")
    shutil.rmtree(shards / "2")
    result = run("--rewardkit-from=shards")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --rewardkit-from: shard 1 of 2 is there 2 times: *shards/again/results.jsonl, "
            "*shards/first/results.jsonl; shard 2 of 2 is missing"
        ]
    )


def test_a_shard_of_another_run_is_refused(shards, run):
    shard(run, 1, "-k", "row", "--rewardkit-threshold=0")
    result = run("--rewardkit-from=shards")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --rewardkit-from: shard [12] of 2 (*) collected other tests than the others, "
            "or split them by other durations; shard [12] of 2 (*) had another option threshold than the others"
        ]
    )


def test_a_shard_that_failed_by_a_test_without_a_reward_fails_the_run(suite, run):
    suite.makepyfile(test_plain="def test_plain(): assert False")
    statuses = [shard(run, number).ret for number in (1, 2)]
    assert sorted(statuses) == [0, 1]
    result = run("--rewardkit-from=shards")
    number = statuses.index(1) + 1
    result.stdout.fnmatch_lines(
        [f"gate shards FAILED: shard {number} of 2: it ended with exit status 1, but not by a test that has a reward"]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_choice_of_tests_is_split(suite, run):
    for number in (1, 2):
        shard(run, number, "-k", "row and not 11")
    result = run("--rewardkit-from=shards", "--rewardkit-results=joined.jsonl")
    result.stdout.fnmatch_lines(["gate tries not asked: none of its tests was selected (-k row and not 11)"])
    assert names(suite.path / "joined.jsonl") == [f"test_row[{number}]" for number in range(11)]


def test_last_failed_tests_are_split_among_themselves(pytester, run):
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_row(number, reward):
            reward.record(number / 11)
            assert number < 6
        """
    )
    run()
    found = []
    for number in (1, 2):
        cache = pytester.path / ".pytest_cache"
        shutil.copytree(cache, pytester.path / "kept", dirs_exist_ok=True)
        run("--lf", f"--rewardkit-shard={number}/2", f"--rewardkit-results={number}.jsonl")
        shutil.copytree(pytester.path / "kept", cache, dirs_exist_ok=True)
        found += names(pytester.path / f"{number}.jsonl")
    assert sorted(found) == sorted(f"test_row[{number}]" for number in range(6, 12))


def test_stored_durations_balance_shards(pytester, run):
    pytester.makepyfile(test_suite="def test_a(reward): ...\ndef test_b(reward): ...\ndef test_c(reward): ...")
    seconds = {"test_suite.py::test_a": 1.0, "test_suite.py::test_b": 1.0, "test_suite.py::test_c": 9.0}
    (pytester.path / ".test_durations").write_text(json.dumps(seconds))
    run("--rewardkit-shard=1/2", "--rewardkit-results=1.jsonl")
    run("--rewardkit-shard=2/2", "--rewardkit-results=2.jsonl")
    assert [names(pytester.path / f"{number}.jsonl") for number in (1, 2)] == [["test_c"], ["test_a", "test_b"]]
    result = run("--rewardkit-shard=1/2", "--rewardkit-durations=absent.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--rewardkit-durations: cannot read durations from *absent.json*"])


def test_a_shard_without_tests_passes(pytester, run):
    pytester.makepyfile(test_suite="def test_right(reward): reward.record(1.0)")
    assert [shard(run, number).ret for number in (1, 2)] == [0, 0]
    result = run("--rewardkit-from=shards", "--rewardkit-fail-under=1")
    result.stdout.fnmatch_lines(["gate passed: mean 1.00 >= 1"])
    assert shard(run, 1, "-k", "nothing").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_circumstances_of_shards_are_kept(shards, suite, run):
    path = shards / "2" / "results.jsonl"
    first, rest = path.read_text().split("\n", 1)
    said = json.loads(first)
    assert said["shard"] == {"number": 2, "of": 2}
    said["versions"]["python"], said["sandboxes"]["isolation"] = "3.99.1", "uid"
    path.write_text(f"{json.dumps(said)}\n{rest}")
    result = run("--rewardkit-from=shards", "--rewardkit-results=joined.jsonl", "--rewardkit-html=joined.html")
    result.stdout.fnmatch_lines(["rewardkit: results of 2 shards (isolation *uid*; python *3.99.1*), nothing is run"])
    joined = read(suite.path / "joined.jsonl")
    assert [it["versions"]["python"] == "3.99.1" for it in joined.run["shards"]] == [False, True]
    assert "Python 3.99.1" in (suite.path / "joined.html").read_text()
    for file in (suite.path / "joined.jsonl", shards / "1" / "results.jsonl"):
        for line in map(json.loads, file.read_text().splitlines()):
            jsonschema.validate(line, schema())


def test_a_killed_shard_is_resumed(suite, run, shards, plugin_args):
    before = names(shards / "2" / "results.jsonl")
    suite.makeconftest(
        """
        import os, signal, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_call(item):
            if item.name == "test_must_pass" or item.name == "test_row[1]" or item.name == "test_row[2]":
                worker = hasattr(item.config, "workerinput")
                os.kill(os.getppid() if worker else os.getpid(), signal.SIGKILL)
                if worker:
                    signal.pause()
        """
    )
    args = (*plugin_args, "--rewardkit", "--rewardkit-shard=2/2", "--rewardkit-results=shards/2/results.jsonl")
    assert suite.run(sys.executable, "-m", "pytest", *args, timeout=300).ret == -signal.SIGKILL
    assert run("--rewardkit-from=shards").ret == pytest.ExitCode.TESTS_FAILED
    suite.path.joinpath("conftest.py").unlink()
    assert run(*args[len(plugin_args) + 1 :], "--rewardkit-resume=shards/2/results.jsonl").ret == 0
    assert names(shards / "2" / "results.jsonl") == before
    assert run("--rewardkit-from=shards").ret == 0


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--rewardkit-shard=3/2"], "--rewardkit-shard: '3/2': shards are counted from 1/2 on, to 10,000 at most"),
        (["--rewardkit-shard=two"], "--rewardkit-shard: must be which shard of how many, such as 2/8, not 'two'"),
        (["--rewardkit-shard=1/2", "--rewardkit-from=."], "--rewardkit-shard runs tests, and --rewardkit-from none: *"),
        (["--rewardkit-from=."], "--rewardkit-from: *holds no results files (.jsonl or .jsonl.gz)"),
        (["--rewardkit-from=absent.jsonl", "--rewardkit-from=gone.jsonl"], "--rewardkit-from: *absent*; *gone*"),
    ],
)
def test_what_cannot_be_done_is_refused(suite, run, args, why):
    result = run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {why}"])


def test_whole_runs_are_not_joined(suite, run):
    for name in ("a", "b"):
        run(f"--rewardkit-results={name}.jsonl")
    result = run("--rewardkit-from=a.jsonl", "--rewardkit-from=b.jsonl")
    result.stderr.fnmatch_lines(
        ["ERROR: --rewardkit-from: *a.jsonl is a whole run, and no shard of one; *b.jsonl is a whole run, *"]
    )


def test_copies_of_a_test_go_with_each_other(pytester, run):
    pytester.makepyfile(
        test_one="def test_x(reward): reward.record(0.5)", test_two="def test_y(reward): reward.record(1)"
    )
    twice = ("--keep-duplicates", "test_one.py", "test_two.py", "test_one.py")
    for number in (1, 2):
        assert shard(run, number, *twice).ret == 0
    run("--rewardkit-from=shards", "--rewardkit-results=joined.jsonl")
    assert names(pytester.path / "joined.jsonl") == ["test_x", "test_y", "test_x#2"]


def test_each_worker_running_all_is_no_share(suite):
    result = suite.runpytest("--rewardkit", "--rewardkit-shard=1/2", "-n2", "--dist=each")
    result.stderr.fnmatch_lines(["*--rewardkit-shard divides the tests, and --dist=each does not: use one of them*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_groups_of_xdist_are_split(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.xdist_group("one")
        @pytest.mark.parametrize("number", range(4))
        def test_row(number, reward):
            reward.record(number / 3)
        """
    )
    for number, args in ((1, ("-n2", "--dist=loadgroup")), (2, ())):
        pytester.runpytest(
            "--rewardkit", f"--rewardkit-shard={number}/2", f"--rewardkit-results=s/{number}.jsonl", *args
        )
    result = pytester.runpytest("--rewardkit", "--rewardkit-from=.", "--rewardkit-fail-under=0.5")
    result.stdout.fnmatch_lines(["gate passed: mean 0.50 >= 0.5"])
