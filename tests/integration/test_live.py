"""The text on each test's line while tests run, on terminals and in logs of all kinds."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE = """
import pytest

@pytest.mark.parametrize("value", [0.5, 1.0, 0.75, 0.75])
def test_it(reward, value):
    reward.record(value)

@pytest.mark.parametrize("number", range(60))
def test_without_a_reward(number):
    pass
"""


@pytest.fixture
def on_terminal(pytester: pytest.Pytester, plugin_args: tuple[str, ...]) -> Callable[..., str]:
    """Run the inner pytest on a pseudo-terminal, and return everything that it shows there."""

    def run(*args: str, columns: int = 100) -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "pytest", *plugin_args, *args]
        with subprocess.Popen(
            command,
            cwd=pytester.path,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"},
        ) as process:
            os.close(theirs)
            output = b""
            try:
                while chunk := os.read(ours, 65536):
                    output += chunk
            except OSError:  # linux's sign that the other end is closed
                pass
            finally:
                os.close(ours)
        assert process.returncode == 0, output.decode()
        return output.decode()

    return run


def test_a_running_mean_beside_the_progress(pytester: pytest.Pytester, on_terminal: Callable[..., str]) -> None:
    pytester.makepyfile(test_suite=SUITE)
    output = on_terminal("--rewardkit")
    assert re.search(r" mean 0\.75 of 4 \[100%\]", output), output
    for line in re.split(r"[\r\n]+", output):
        assert len(line) <= 100, line


def test_lines_break_where_there_is_no_more_room(pytester: pytest.Pytester, on_terminal: Callable[..., str]) -> None:
    pytester.makepyfile(test_suite=SUITE)
    output = on_terminal("--rewardkit", columns=72)
    progress = [line for line in re.split(r"[\r\n]+", output) if re.search(r"\[ *\d+%\]$", line.rstrip())]
    assert len(progress) >= 2
    assert all(len(line) <= 72 for line in progress)
    assert re.search(r"\.\.\. +mean 0\.\d\d of \d \[ *\d+%\]", progress[0]), progress


@pytest.mark.parametrize("args", [(), ("--rewardkit", "-qq"), ("--rewardkit", "-p", "no:terminal")])
def test_no_mean_where_it_is_not_asked_for(
    pytester: pytest.Pytester, on_terminal: Callable[..., str], args: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    assert not re.search(r"mean \d\.\d\d of", on_terminal(*args))


def test_verbose_lines_have_the_reward_and_the_mean_where_it_fits(
    pytester: pytest.Pytester, on_terminal: Callable[..., str]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    output = on_terminal("--rewardkit", "-v")
    assert output.count("PASSED 0.75") == 2
    assert re.search(r" mean 0\.\d\d of \d \[ *\d+%\]", output), output


def test_a_narrow_terminal_has_no_mean(pytester: pytest.Pytester, on_terminal: Callable[..., str]) -> None:
    pytester.makepyfile(test_suite=SUITE)
    output = on_terminal("--rewardkit", columns=40)
    assert not re.search(r"mean \d\.\d\d of \d", output)
    assert "mean 0.75 over 4 scored tests" in output


def test_logs_have_the_reward_at_each_line(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(test_suite=SUITE)
    result = run("-v")
    assert sum("PASSED 0.75" in line for line in result.outlines) == 2
    result.stdout.no_re_match_line(r".*mean \d\.\d\d of \d")


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_logs_of_ci_have_the_mean_at_each_line(
    pytester: pytest.Pytester,
    run: Callable[..., pytest.RunResult],
    monkeypatch: pytest.MonkeyPatch,
    quiet: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(test_suite=SUITE)
    run(*quiet).stdout.re_match_lines([r".* mean 0\.75 of 4 \[100%\]"])


@pytest.mark.parametrize("options", ["-p no:terminal", "--tb=no", "--tb=line", "--show-capture=no", "-q"])
def test_nothing_breaks_with(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult], options: str) -> None:
    pytester.makepyfile(
        """
        from pytest_rewardkit import Part, Reward, assert_reward

        def test_it():
            assert_reward(Reward.from_parts([Part("\\u2603 \\x1b[2J", 0.0, reason="wr\\u00f6ng")]))
        """
    )
    result = run("--rewardkit-artifacts=kept", *options.split())
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.stderr.lines in ([], [""])
    assert "INTERNALERROR" not in result.stdout.str()
    assert len(list((pytester.path / "kept").iterdir())) == 1
    if options == "-q":
        assert sum("rewards:" in line for line in result.outlines) == 1


def test_nothing_breaks_where_only_ascii_can_be_written(
    pytester: pytest.Pytester, plugin_args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        from pytest_rewardkit import Part, Reward, assert_reward

        def test_it():
            assert_reward(Reward.from_parts([Part("\\u2603", 0.0, reason="wr\\u00f6ng")]))
        """
    )
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("COLUMNS", "40")
    result = pytester.runpytest_subprocess(*plugin_args, "--rewardkit", "-vv")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.stdout.str().isascii()
    result.stdout.fnmatch_lines(["*Run it again*"])
