"""Workers that die: no test is lost, and no gate passes because of it."""

import pytest

CRASHING = """
    import os, pytest

    def test_first(reward):
        reward.record(1.0)

    def test_crash(reward):
        reward.record(1.0)
        os._exit(1)

    def test_third(reward):
        reward.record(1.0)

    def test_fourth(reward):
        reward.record(1.0)
"""


@pytest.fixture(autouse=True)
def suite(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_suite=CRASHING)


def run_with_workers(pytester, *args):
    plugins = ("-p", "pytest_rewardkit.plugin", "-p", "xdist", "-p", "pytest_rerunfailures")
    return pytester.runpytest("--rewardkit", *plugins, *args)


def test_crashed_test_is_listed(pytester):
    result = run_with_workers(pytester, "-n2")
    result.stdout.fnmatch_lines(
        [
            "   - * crashed        test_suite.py::test_crash",
            "      worker 'gw*' crashed while running 'test_suite.py::test_crash'",
            "mean 1.00 over 3 scored tests, 0.75 with 1 unscored as 0",
            "3 passed, 1 crashed*",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_crash_that_is_tried_again_counts_once(pytester):
    result = run_with_workers(pytester, "-n1", "--dist=loadfile", "--max-worker-restart=2")
    result.stdout.fnmatch_lines(
        [
            "mean 1.00 over 1 scored test, 0.50 with 1 unscored as 0",
            "1 passed, 1 crashed (2 reruns)",
            "2 collected tests never ran to an end:",
        ]
    )


def test_tests_that_never_ran_are_listed_and_fail_the_gate(pytester):
    result = run_with_workers(pytester, "-n1", "--max-worker-restart=0", "--rewardkit-fail-under=0.1")
    result.stdout.fnmatch_lines(
        [
            "2 collected tests never ran to an end:",
            "      test_suite.py::test_third",
            "      test_suite.py::test_fourth",
            "gate FAILED: *",
        ]
    )
    assert result.ret != 0


def test_crash_that_a_rerun_heals_counts_once(pytester):
    pytester.makepyfile(
        test_suite="""
        import os, pathlib

        def test_crash_once(reward, request):
            marker = pathlib.Path(request.config.rootpath, "crashed")
            if not marker.exists():
                marker.touch()
                os._exit(1)
            reward.record(0.5)
        """
    )
    result = run_with_workers(pytester, "-n1", "--reruns=1")
    result.stdout.fnmatch_lines(["mean 0.50 over 1 scored test", "1 partial (1 rerun)"])
    assert result.ret == 0
