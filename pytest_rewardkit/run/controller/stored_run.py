"""Decides and reports a run again from its results file, without collecting or running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.run.controller.stored_reports import location_of, reports_of

if TYPE_CHECKING:
    from pytest_rewardkit.reports.results.file import Stored
    from pytest_rewardkit.reports.results.shards import Joined
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin


class StoredRun:
    """Takes the place of collection and of the tests; `controller` and all other reports see what `stored` holds."""

    def __init__(self, config: pytest.Config, stored: Stored | Joined, controller: ControllerPlugin) -> None:
        self._stored = stored
        self._controller = controller
        controller.unfinished = stored.unfinished
        controller.chosen = stored.narrowed_by
        controller.gates_with_tests = stored.gates_with_tests
        # pytest-xdist looks at this afterwards, and would start idle workers.
        config.option.dist = "no"
        config.option.tx = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        session.items = []
        session.testscollected = len(self._stored.ledger.tests)
        self._controller.ledger.expect(self._stored.ledger.collected)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        hook = session.config.hook
        for test in self._stored.ledger.tests:
            location = location_of(test.node_id, test.last)
            hook.pytest_runtest_logstart(nodeid=test.node_id, location=location)
            for result in test.results:
                for report in reports_of(test.node_id, result, location, kept=result.kept):
                    hook.pytest_runtest_logreport(report=report)
            hook.pytest_runtest_logfinish(nodeid=test.node_id, location=location)
        return True
