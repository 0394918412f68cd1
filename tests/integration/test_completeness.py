"""This suite's own guard: a run that ended before its tests did fails."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = """
    import os, pytest

    def test_first():
        pass

    def test_second():
        {code}

    def test_third():
        pass
"""


@pytest.fixture
def guarded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plugin_args: tuple[str, ...]):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))

    def run(code: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(TESTS.format(code=code))
        return pytester.runpytest_subprocess("-p", "completeness", *plugin_args, *args)

    return run


def test_a_run_that_ended_early_is_red(guarded):
    result = guarded("pytest.exit('enough', returncode=0)")
    if result.ret != pytest.ExitCode.INTERNAL_ERROR:  # pytest-xdist reports it so
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["2 of 3 collected tests came to no end"])


def test_a_worker_that_is_gone_is_red(guarded):
    result = guarded("os._exit(0)", "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.no_fnmatch_line("*came to no end")


def test_a_whole_run_is_green(guarded):
    result = guarded("pytest.skip('not here')")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=2, skipped=1)


def test_tests_that_were_only_listed_are_not_awaited(guarded):
    assert guarded("pass", "--collect-only").ret == pytest.ExitCode.OK
