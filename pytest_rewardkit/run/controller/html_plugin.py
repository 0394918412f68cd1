"""A column and a line for pytest-html, if that is used; this module never imports it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit.formatting import shown
from pytest_rewardkit.reports.terminal import one_line_section, verdict

if TYPE_CHECKING:
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin

_ATTRIBUTE: Final = "rewardkit"
"""The attribute of a report that holds the content of its row."""
_PLACE: Final = 2
"""The column's position: after the outcome and the test's name."""


class HtmlPluginColumn:
    """Shows each test's reward and the gates' decisions in the report of pytest-html."""

    def __init__(self, controller: ControllerPlugin) -> None:
        self._controller = controller

    # pytest-html makes a row when a test is over, from all reports of all its reruns. The controller is one of the
    # first plugins to see a report, and pytest-html one of the last.
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for value in self._controller.noted(report):
            setattr(report, _ATTRIBUTE, shown(value))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells.insert(_PLACE, '<th class="sortable" data-column-type="reward">Reward</th>')

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        text = getattr(report, _ATTRIBUTE, "")
        cells.insert(_PLACE, f'<td class="col-reward">{html.escape(text)}</td>')

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        figures = self._controller.ledger.figures()
        lines = [one_line_section(figures), *map(verdict, self._controller.decisions)]
        for line in lines:
            prefix.append(f"<p>{html.escape(''.join(segment.text for segment in line))}</p>")
