"""Writes the CTRF report at the session's end, in the process where results end."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.reports.ctrf import ctrf_report
from pytest_rewardkit.reports.whole_file import write_whole
from pytest_rewardkit.run.controller.facts import now, versions
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin


class CtrfFile:
    """Writes the CTRF report of what `controller` has collected, also for a stopped run.

    Parameters:
        config: the session's config.
        file: where to write, relative to the directory pytest started in.
    """

    def __init__(self, config: pytest.Config, file: str, controller: ControllerPlugin) -> None:
        self._config = config
        self._path = config.invocation_params.dir / Path(file).expanduser()
        self._controller = controller
        self._started = _now_ms()
        self._failure = ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        ledger = self._controller.ledger
        report = ctrf_report(ledger, versions=versions(), started=self._started, stopped=_now_ms(), written=now())
        try:
            write_json(self._path, report)
        except OSError as error:
            self._failure = one_line(f"{self._path}: {error.strerror or error}", 300)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failure:
            terminalreporter.write_line(f"CTRF report not written: {self._failure}", red=True)
        elif self._config.get_verbosity() >= 0:
            terminalreporter.write_line(f"CTRF report: {self._path}")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value to a file, and replace the file only when all is written. Raises OSError."""
    write_whole(path, [json.dumps(value, indent=2, allow_nan=False), "\n"])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
