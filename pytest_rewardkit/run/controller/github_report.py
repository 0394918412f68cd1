"""Reports the run to GitHub at the session's end, in a step of GitHub Actions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.reports import github

if TYPE_CHECKING:
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin


class GitHubReport:
    """Appends what `controller` has collected to the step's summary and outputs, and prints annotations."""

    def __init__(self, config: pytest.Config, controller: ControllerPlugin) -> None:
        self._config = config
        self._controller = controller

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        ledger, decisions = self._controller.ledger, self._controller.decisions
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            summary = github.summary(
                ledger,
                passed=int(exitstatus) == pytest.ExitCode.OK,
                decisions=decisions,
                comparisons=self._controller.comparisons,
                limit=github.SUMMARY_LIMIT - _size(Path(path)),
            )
            _append(Path(path), summary)
        if path := os.environ.get("GITHUB_OUTPUT"):
            values = github.outputs(ledger.figures(), decisions)
            _append(Path(path), "".join(f"{name}={value}\n" for name, value in values.items()))
        if commands := github.commands(ledger, decisions, folder=self._folder()):
            # A command must start a line, and pytest's letters do not end theirs.
            sys.stderr.write("\n" + "".join(f"{command}\n" for command in commands))
            sys.stderr.flush()

    def _folder(self) -> str:
        """Return the path from the repository to the directory that node ids are relative to, with a trailing slash."""
        root = os.environ.get("GITHUB_WORKSPACE")
        if not root or not self._config.rootpath.is_relative_to(Path(root).resolve()):
            return ""
        inside = self._config.rootpath.relative_to(Path(root).resolve()).as_posix()
        return "" if inside == "." else f"{inside}/"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        # GitHub's files are a convenience: the log still has everything.
        sys.stderr.write(f"\nrewardkit: cannot write to {path}: {error}\n")
