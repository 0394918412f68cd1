"""The folder of earlier runs: their rewards are shown beside this run, which is kept there for later ones."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.ledger.graders import graders_in
from pytest_rewardkit.ledger.history import History
from pytest_rewardkit.reports import history
from pytest_rewardkit.reports.results.file import DETAILS, Writer
from pytest_rewardkit.reports.results.lines import attempt_line, run_line, to_text
from pytest_rewardkit.reports.results.past_runs import moment, past_runs
from pytest_rewardkit.run.controller.results_file import end_of
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.run.controller.plugin import ControllerPlugin


class RunHistory:
    """Compares the run of `controller` with earlier ones, and keeps it if it was not stopped.

    Parameters:
        config: the session's config.
        folder: where results files are kept, relative to the directory pytest started in.
        facts: the circumstances of the run.
    """

    def __init__(
        self, config: pytest.Config, folder: str, controller: ControllerPlugin, facts: Mapping[str, Any]
    ) -> None:
        self._config = config
        self._folder = config.invocation_params.dir / Path(folder).expanduser()
        self._controller = controller
        self._facts = facts
        self._clock = time.perf_counter()
        self._failure = ""

    @cached_property
    def earlier(self) -> History:
        """The runs before this one; none if graders are checked, because rewards of graders mean something else."""
        if graders_in(self._controller.ledger):
            return History()
        try:
            return past_runs(self._folder, self._started)
        except OSError as error:
            return History(left_out=[one_line(str(error), 300)])

    @property
    def partial(self) -> str:
        """Why this run's mean is not comparable with other runs; "" if it is."""
        if not self._controller.complete or self._controller.unfinished:
            return self._controller.unfinished or "this run was stopped"
        narrowed_by = self._controller.narrowed_by
        return f"not all tests were to run ({narrowed_by})" if narrowed_by else ""

    @property
    def _started(self) -> datetime:
        try:
            return moment(self._facts.get("started"))
        except ValueError:
            # The run is reported again from a file that somebody else wrote.
            return datetime.now(UTC)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        _ = self.earlier
        if not self._controller.complete or graders_in(self._controller.ledger):
            return
        try:
            self._keep(int(session.exitstatus))
        except OSError as error:
            self._failure = one_line(f"{self._folder}: {error.strerror or error}", 300)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _keep(self, exit_status: int) -> None:
        """Write the run without its large fields. A run that is reported again keeps its earlier name."""
        ledger = self._controller.ledger
        attempts = [
            {
                name: value
                for name, value in attempt_line(test, ledger.index(test.node_id)).items()
                if name not in DETAILS
            }
            for test in ledger.tests
            if test.crashed or test.reward is not None
        ]
        if not attempts:
            return
        key = hashlib.sha256("".join(map(to_text, attempts)).encode("ascii")).hexdigest()[:8]
        started = f"{self._started:%Y-%m-%dT%H-%M-%S}.{self._started.microsecond // 1000:03}Z"
        path = self._folder / f"{started}-{key}.jsonl.gz"
        end = end_of(self._controller, exit_status, time.perf_counter() - self._clock)
        Writer(path, [run_line(self._facts), *attempts, end]).close()

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        verbosity = self._config.get_verbosity()
        if self._failure:
            terminalreporter.write_line(f"this run is not kept in the history: {self._failure}", red=True)
        if verbosity < -1 or graders_in(self._controller.ledger):
            return
        mean = self._controller.ledger.figures().mean
        for line in history.lines(self.earlier, mean, partial=self.partial, everything=verbosity >= 0):
            terminalreporter.write_line(line)
