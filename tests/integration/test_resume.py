"""A run that continues an earlier one: tests with a number are kept, the rest run."""

import signal
import sys

import pytest

from pytest_rewardkit.reports.results.file import read

FIRST = """
    import pytest

    @pytest.mark.reward(group="sorting")
    def test_scored(reward):
        reward.record(0.5)

    @pytest.mark.reward(threshold=0.5)
    def test_failed(reward):
        reward.record(0.25)

    @pytest.mark.reward
    def test_unscored():
        raise OSError("no route to host")

    def test_removed(reward):
        reward.record(1.0)

    def test_plain():
        pass
"""
THEN = """
    import pytest

    @pytest.mark.reward(group="sorting")
    def test_scored(reward):
        raise AssertionError("not to be run again")

    @pytest.mark.reward(threshold=0.5)
    def test_failed(reward):
        raise AssertionError("not to be run again")

    @pytest.mark.reward
    def test_unscored():
        pass

    def test_added(reward):
        reward.record(0.75)

    def test_plain():
        pass
"""


def values(path):
    return {test.node_id.rpartition("::")[2]: test.value for test in read(path).ledger.tests}


@pytest.mark.parametrize("results", ["first.jsonl", "then.jsonl", "then.jsonl.gz"])
def test_what_has_a_number_is_kept(run, pytester, results):
    pytester.makepyfile(test_suite=FIRST)
    run("--rewardkit-results=first.jsonl")
    pytester.makepyfile(test_suite=THEN)
    result = run("--rewardkit-resume=first.jsonl", f"--rewardkit-results={results}", "--rewardkit-fail-under=0.6")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        [
            "in an earlier run: reward 0.25 < threshold 0.5*",
            "mean 0.62 over 4 scored tests",
            "2 tests kept from an earlier run",
            "gate passed: mean 0.62 >= 0.6",
        ]
    )
    stored = read(pytester.path / results)
    assert values(stored.path) == {"test_scored": 0.5, "test_failed": 0.25, "test_unscored": 1.0, "test_added": 0.75}
    kept = {test.node_id.rpartition("::")[2]: test.last.kept for test in stored.ledger.tests}
    assert kept == {"test_scored": True, "test_failed": True, "test_unscored": False, "test_added": False}
    assert stored.unfinished == ""
    assert [line["index"] for lines in stored.lines.values() for line in lines] != []
    assert stored.ledger.collected == [f"test_suite.py::{name}" for name in values(stored.path)]


def test_a_run_that_was_killed_is_resumed_from_its_own_file(pytester, plugin_args):
    pytester.makepyfile(
        test_suite="""
        import os, pathlib, signal, time

        HERE = pathlib.Path(__file__).parent

        def test_first(reward):
            assert not (HERE / "killed").exists(), "not to be run again"
            reward.record(0.25)

        def test_second(reward):
            assert not (HERE / "killed").exists(), "not to be run again"
            reward.record(0.5)

        def test_third(reward, request):
            if not (HERE / "killed").exists():
                deadline = time.monotonic() + 300
                while (HERE / "results.jsonl").read_text().count("attempt") < 4:  # two lines say it twice each
                    assert time.monotonic() < deadline
                (HERE / "killed").touch()
                worker = hasattr(request.config, "workerinput")
                os.kill(os.getppid() if worker else os.getpid(), signal.SIGKILL)
                if worker:
                    signal.pause()
            reward.record(0.75)
        """
    )
    args = (sys.executable, "-m", "pytest", "--rewardkit", "--rewardkit-results=results.jsonl", *plugin_args)
    assert pytester.run(*args, timeout=300).ret == -signal.SIGKILL
    assert pytester.run(*args, "--rewardkit-resume=results.jsonl", timeout=300).ret == 0
    path = pytester.path / "results.jsonl"
    assert values(path) == {"test_first": 0.25, "test_second": 0.5, "test_third": 0.75}
    assert read(path).unfinished == ""


def test_what_was_kept_is_kept_when_the_second_run_is_killed_too(pytester, plugin_args):
    pytester.makepyfile(test_suite="def test_b(reward): reward.record(0.5)\ndef test_c(reward): reward.record(0.75)")
    args = (sys.executable, "-m", "pytest", "--rewardkit", "--rewardkit-results=results.jsonl", *plugin_args)
    pytester.run(*args, timeout=300)
    pytester.makepyfile(
        test_suite="""
        import os, signal

        def test_a(request):
            worker = hasattr(request.config, "workerinput")
            os.kill(os.getppid() if worker else os.getpid(), signal.SIGKILL)
            if worker:
                signal.pause()

        def test_b(reward): reward.record(0.0)
        def test_c(reward): reward.record(0.0)
        """
    )
    assert pytester.run(*args, "--rewardkit-resume=results.jsonl", timeout=300).ret == -signal.SIGKILL
    assert values(pytester.path / "results.jsonl") == {"test_b": 0.5, "test_c": 0.75}


def test_attempts_of_reruns_are_kept(run, pytester):
    pytester.makepyfile(
        test_suite="""
        import pytest
        tries = []

        @pytest.mark.flaky(reruns=1)
        @pytest.mark.reward(threshold=1.0)
        def test_flaky(reward):
            tries.append(1)
            reward.record(len(tries) / 2)
        """
    )
    run("--rewardkit-results=results.jsonl")
    result = run("--rewardkit-resume=results.jsonl", "--rewardkit-results=results.jsonl")
    result.stdout.fnmatch_lines(["1 passed (1 rerun)", "*1 passed*1 rerun*"])
    lines = read(pytester.path / "results.jsonl").lines["test_suite.py::test_flaky"]
    assert [(line["attempt"], line["reward"], line["kept"]) for line in lines] == [(1, 0.5, True), (2, 1.0, True)]


def test_fixtures_of_wider_scope_end_where_they_would(run, pytester):
    tests = """
        import pathlib, pytest

        @pytest.fixture(scope="module")
        def resource(request):
            yield
            pathlib.Path(__file__).with_suffix(".ended").write_text(request.node.name)

        def test_a(resource, reward):
            reward.record({a})

        def test_b(resource, reward):
            reward.record(1.0)
    """
    pytester.makepyfile(test_one=tests.format(a="1.0"), test_two=tests.format(a="1.0"))
    run("--rewardkit-results=results.jsonl", "-k", "test_b")
    # In each module the first test runs and the second is kept, so that a module's last test is a kept one.
    result = run("--rewardkit-resume=results.jsonl")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["2 tests kept from an earlier run"])
    assert {file.name for file in pytester.path.glob("*.ended")} == {"test_one.ended", "test_two.ended"}


def test_what_goes_wrong_when_they_end_is_told(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def resource():
            yield
            raise OSError("cannot be cleaned up")

        def test_a(resource, reward):
            reward.record(1.0)

        def test_b(reward):
            reward.record(0.5)
        """
    )
    run("--rewardkit-results=results.jsonl", "-k", "test_b")
    result = run("--rewardkit-resume=results.jsonl")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["E * OSError: cannot be cleaned up"])


def test_tests_of_groups_are_known_again(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.xdist_group("one")
        def test_a(reward, request):
            reward.record(1.0 if request.config.getoption("rewardkit_resume") is None else 0.0)
        """
    )
    pytester.runpytest("--rewardkit", "--rewardkit-results=results.jsonl")
    result = pytester.runpytest("--rewardkit", "--rewardkit-resume=results.jsonl", "-n2", "--dist=loadgroup")
    result.stdout.fnmatch_lines(["1 test kept from an earlier run"])


def test_a_stopped_run_leaves_what_it_did_not_come_to(run, pytester):
    pytester.makepyfile(test_suite="def test_b(reward): reward.record(0.5)")
    run("--rewardkit-results=results.jsonl")
    pytester.makepyfile(test_suite="def test_a(): assert False\ndef test_b(reward): reward.record(0.0)")
    run("--rewardkit-resume=results.jsonl", "--rewardkit-results=results.jsonl", "-x")
    stored = read(pytester.path / "results.jsonl")
    assert values(stored.path) == {"test_b": 0.5}


def test_other_plugins_bear_tests_that_are_not_run(pytester):
    pytester.makepyfile(test_suite=FIRST)
    pytester.runpytest("--rewardkit", "--rewardkit-results=results.jsonl")
    pytester.makepyfile(test_suite=THEN)
    result = pytester.runpytest(
        *("--rewardkit", "--rewardkit-resume=results.jsonl", "-v", "--log-level=DEBUG", "--durations=3", "--reruns=1"),
        *("--json-report", "--html=report.html", "--report-log=log.jsonl", "--junitxml=junit.xml"),
    )
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_a_file_that_is_not_there_is_refused(run, pytester):
    pytester.makepyfile(test_suite=FIRST)
    result = run("--rewardkit-resume=absent.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --rewardkit-resume: cannot read results from *absent.jsonl: *"])
