"""The running mean beside pytest's own progress, ``mean 0.82 of 14 [ 45%]``, on a terminal and in CI logs.

Its colour shows whether the run would pass if it ended now. If no gate needs a mean, it is the summary's colour.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.formatting import shown
from pytest_rewardkit.pytest_internals import beside_progress, has_progress
from pytest_rewardkit.reports.terminal import mean_color

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin

ROOM: Final = len(" mean 0.82 of 99999")
NARROWEST: Final = 72
"""The narrowest terminal, in columns, that has room for the mean."""


class Live:
    """Adds the mean over the tests of `controller` that have a number so far, and how many they are."""

    def __init__(self, config: pytest.Config, controller: ControllerPlugin) -> None:
        self._config = config
        self._earned: dict[str, tuple[float, float]] = {}
        self._sum = 0.0
        self._weights = 0.0
        self._controller = controller
        # In this mode the progress comes before the test's name, not at the end of the line.
        self._leads = config.get_verbosity() > 0 and config.getoption("dist", "no") != "no"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if not self._has_place(terminal):
            return (yield)
        self._controller.listeners.append(self._add)
        with beside_progress(terminal, self._write, ROOM):
            return (yield)

    def _has_place(self, terminal: Any) -> bool:
        return (
            terminal is not None
            and (terminal.isatty() or bool(os.environ.get("CI")))
            and self._config.get_verbosity() >= -1
            and self._config.get_terminal_writer().fullwidth >= NARROWEST
            and has_progress(terminal)
        )

    def _write(self, progress: str) -> None:
        if self._weights <= 0:
            return
        mean = min(self._sum / self._weights, 1.0)
        text = f" mean {shown(mean)} of {len(self._earned)}"
        writer = self._config.get_terminal_writer()
        room = writer.fullwidth - writer.width_of_current_line - len(progress) - 1
        # A long line, as with -v, has no room beyond what pytest itself writes.
        if len(text) <= room:
            color = mean_color(mean, self._controller.judge.least_mean)
            writer.write(text if self._leads else text.rjust(room), **{color: True})

    def _add(self, test: Test) -> None:
        # The last result counts and replaces earlier ones.
        value, weight = self._earned.pop(test.node_id, (0.0, 0.0))
        self._sum -= value * weight
        self._weights -= weight
        if test.value is not None:
            self._earned[test.node_id] = (test.value, test.weight)
            self._sum += test.value * test.weight
            self._weights += test.weight
