"""The command `pytest-rewardkit`: its table of subcommands, and `merge`. tests/local has the server's subcommands."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from pytest_rewardkit.command_line.commands import COMMANDS
from pytest_rewardkit.command_line.main import main

RESULTS = ["--rewardkit", "-q", "-p", "no:cacheprovider"]


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="pytest-rewardkit")
    assert script.load() is main


def test_help_and_version(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert all(command.purpose in shown for command in COMMANDS)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"pytest-rewardkit {version('pytest-rewardkit')}\n"


@pytest.mark.parametrize("words", [[], ["servee"], ["--servee"]])
def test_what_is_no_command(words, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(words)
    assert "usage: pytest-rewardkit" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda it: it.name)
def test_each_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main([command.name, "--help"])
    assert command.example in " ".join(capsys.readouterr().out.split())


def test_merge_reports_what_results_files_hold(pytester, capfd):
    pytester.makepyfile("def test_it(reward): reward.record(0.5)")
    pytester.runpytest_subprocess(*RESULTS, "--rewardkit-results=kept/results.jsonl").assert_outcomes(passed=1)
    capfd.readouterr()
    assert main(["merge", "kept", "--rewardkit-fail-under=0.4"]) == 0
    assert "0.50" in capfd.readouterr().out
    assert main(["merge", "kept/results.jsonl", "--rewardkit-fail-under=0.6"]) == 1
    assert main(["merge", "nowhere"]) == pytest.ExitCode.USAGE_ERROR


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "pytest_rewardkit", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("pytest-rewardkit ")
