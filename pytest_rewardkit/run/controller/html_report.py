"""Writes the HTML report at the session's end, in the process where results end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.ledger.graders import graders_in
from pytest_rewardkit.reports.html.circumstances import facts_in
from pytest_rewardkit.reports.html.from_ledger import report_of
from pytest_rewardkit.reports.html.write import write
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.reports.html.model import Report
    from pytest_rewardkit.reports.results.file import Stored
    from pytest_rewardkit.reports.results.shards import Joined
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin
    from pytest_rewardkit.run.controller.run_history import RunHistory


class HtmlReport:
    """Writes the report of what `controller` has collected, also for a stopped run.

    Parameters:
        config: the session's config.
        file: where to write, relative to the directory pytest started in.
        facts: the circumstances of the run.
        history: the runs before this one; None if none are kept.
        told: the earlier run to report again; None if this run runs tests.
    """

    def __init__(
        self,
        config: pytest.Config,
        file: str,
        controller: ControllerPlugin,
        facts: Mapping[str, Any],
        history: RunHistory | None = None,
        told: Stored | Joined | None = None,
    ) -> None:
        self._config = config
        self._path = config.invocation_params.dir / Path(file).expanduser()
        self._controller = controller
        self._facts = facts
        self._history = history
        self._told = told
        self._clock = time.perf_counter()
        self._failure = ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        try:
            write(self._report(), self._path)
        except OSError as error:
            # Somebody may wait for this report, so its absence must not go unnoticed.
            # `strerror` alone, because the error names a temporary file.
            self._failure = one_line(f"{self._path}: {error.strerror or error}", 300)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _report(self) -> Report:
        return report_of(
            self._controller.ledger,
            title=f"{'Self-check' if graders_in(self._controller.ledger) else 'Rewards'}: {self._config.rootpath.name}",
            facts=self._circumstances(),
            decisions=self._controller.decisions,
            comparisons=self._controller.comparisons,
            history=None if self._history is None else self._history.earlier,
            partial="" if self._history is None else self._history.partial,
        )

    def _circumstances(self) -> dict[str, str]:
        if self._told is not None:
            return {**facts_in(self._facts, seconds=self._told.seconds), "Told again": one_line(self._told.name, 300)}
        return facts_in(self._facts, sandboxes=self._controller.header, seconds=time.perf_counter() - self._clock)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failure:
            terminalreporter.write_line(f"HTML report not written: {self._failure}", red=True)
        elif self._config.get_verbosity() >= 0:
            terminalreporter.write_line(f"HTML report: {self._path}")
