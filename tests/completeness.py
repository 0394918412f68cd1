"""A plugin of this suite: a run fails if a collected test did not finish, however the run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence


class Completeness:
    """Compares the collected tests with those whose end was reported."""

    def __init__(self) -> None:
        self._awaited: set[str] = set()
        self._ended: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._awaited.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._awaited.update(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # A test that crashed its worker has one report, of no phase.
        if report.when not in ("setup", "call"):
            self._ended.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._missing() and session.exitstatus == pytest.ExitCode.OK and not session.config.option.collectonly:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        missing = self._missing()
        if missing and not terminalreporter.config.option.collectonly:
            terminalreporter.line(f"{len(missing)} of {len(self._awaited)} collected tests came to no end", red=True)

    def _missing(self) -> set[str]:
        return self._awaited - self._ended


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Completeness(), "completeness of the suite")
