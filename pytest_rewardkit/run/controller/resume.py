"""Does not run tests again that have a number in an earlier run: their reports come from the stored results."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.pytest_internals import tear_down_unused
from pytest_rewardkit.run.controller.configuration import stored_in
from pytest_rewardkit.run.controller.stored_reports import reports_of
from pytest_rewardkit.run.transport.node_ids import name, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.ledger.test import TestResult


class Resume:
    """Takes the place of tests that have a number in a results file; registered wherever tests run."""

    def __init__(self, config: pytest.Config, file: str) -> None:
        self._config = config
        self._file = file

    @cached_property
    def _kept(self) -> Mapping[str, Sequence[TestResult]]:
        # Only in processes that run tests, and only once they run.
        stored = stored_in(self._config, self._file, "--rewardkit-resume")
        return (
            {}
            if stored is None
            else {test.node_id: test.results for test in stored.ledger.tests if test.value is not None}
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        results = self._kept.get(name_of(item))
        if results is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = [report for result in results for report in reports_of(item.nodeid, result, item.location)]
        tear_down(item, nextitem, reports[-1])
        for report in reports:
            name(report, item)
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


def tear_down(item: pytest.Item, nextitem: pytest.Item | None, report: pytest.TestReport) -> None:
    """End fixtures of wider scope that earlier tests began and no later test needs; `report` receives any failure."""
    call = pytest.CallInfo.from_call(
        lambda: tear_down_unused(item, nextitem),
        when="teardown",
        reraise=(pytest.exit.Exception, KeyboardInterrupt),
    )
    if call.excinfo is not None:
        found = pytest.TestReport.from_item_and_call(item, call)
        report.outcome, report.longrepr = found.outcome, found.longrepr
