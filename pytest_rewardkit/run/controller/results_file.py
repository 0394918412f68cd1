"""Writes the results file in the process where results end, as they come."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.reports.results.file import Writer, read
from pytest_rewardkit.reports.results.lines import attempt_line, end_line, run_line, to_text
from pytest_rewardkit.run.controller.facts import now
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.reports.results.file import Stored
    from pytest_rewardkit.run.controller.plugin import ControllerPlugin
    from pytest_rewardkit.run.controller.shard_report import ShardReport


class ResultsFile:
    """Writes what `controller` collects, line by line.

    Parameters:
        config: the session's config.
        file: where to write, relative to the directory pytest started in.
        facts: the circumstances of the run.
        carried: an earlier run. Its tests that have a number are kept, and are in the file from the start.
        shard: what the run says about itself if it is one shard of a larger run.

    Raises pytest.UsageError if `file` cannot be written.
    """

    def __init__(
        self,
        config: pytest.Config,
        file: str,
        controller: ControllerPlugin,
        facts: Mapping[str, Any],
        *,
        carried: Stored | None = None,
        shard: ShardReport | None = None,
    ) -> None:
        self._config = config
        self._controller = controller
        self._facts = facts
        self._carried = _with_numbers(carried)
        self._shard = shard
        self._clock = time.perf_counter()
        self._failure = ""
        path = config.invocation_params.dir / Path(file).expanduser()
        try:
            self._writer = Writer(path, [run_line(facts), *self._kept()])
        except OSError as error:
            raise pytest.UsageError(f"--rewardkit-results: cannot write {path}: {error.strerror or error}") from None
        config.add_cleanup(self._close)
        controller.listeners.append(self._add)

    def _add(self, test: Test) -> None:
        if not (test.last.kept and test.node_id in self._carried):
            self._write(attempt_line(test, self._controller.ledger.index(test.node_id)))

    def _kept(self) -> list[Mapping[str, Any]]:
        return [{**line, "kept": True} for lines in self._carried.values() for line in lines]

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._failure:
            return
        try:
            self._writer.write(to_text(line))
        except OSError as error:
            # The tests are worth more than their report: they go on, and the run fails at its end.
            self._failure = one_line(str(error), 300)

    def _close(self) -> None:
        try:
            self._writer.close()
        except OSError:
            # If the end cannot be written, earlier lines could not either, and that is already reported.
            assert self._failure

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        if self._failure:
            session.testsfailed += 1
        return result

    def _settle(self) -> None:
        """Update the indexes of the tests that were carried over, and drop tests that no longer exist."""
        ledger = self._controller.ledger
        if not self._carried or self._failure or not ledger.collected:
            return
        lines = [
            {**line, "index": index}
            for node_id, lines in read(self._writer.path).lines.items()
            for line in lines
            if (index := ledger.index(node_id)) is not None
        ]
        try:
            self._writer.rewrite([run_line(self._facts), *lines])
        except OSError as error:
            self._failure = one_line(str(error), 300)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._settle()
        end = end_of(self._controller, int(session.exitstatus), time.perf_counter() - self._clock)
        self._write(end if self._shard is None else {**end, **self._shard.end_fields()})

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failure:
            terminalreporter.write_line(f"results are incomplete: {self._failure}", red=True)
        elif self._config.get_verbosity() >= 0:
            terminalreporter.write_line(f"results: {self._writer.path}")


def end_of(controller: ControllerPlugin, exit_status: int, seconds: float) -> dict[str, Any]:
    """Return the last line of the results of `controller`."""
    return end_line(
        ended=now(),
        seconds=seconds,
        exit_status=exit_status,
        complete=controller.complete,
        figures=controller.ledger.figures(),
        decisions=controller.decisions,
        uncollected=controller.uncollected,
        narrowed_by=controller.narrowed_by,
    )


def _with_numbers(stored: Stored | None) -> dict[str, list[Mapping[str, Any]]]:
    """Return the lines of the tests that have a number."""
    if stored is None:
        return {}
    return {test.node_id: stored.lines[test.node_id] for test in stored.ledger.tests if test.value is not None}
