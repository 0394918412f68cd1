"""Where the HTML report is written: at the session's end, in the process in which results end."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.reports.figures import duration
from pytest_rewardkit.reports.html.from_ledger import report_of
from pytest_rewardkit.reports.html.model import Gate
from pytest_rewardkit.reports.html.write import write
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.run.reporter import Reporter


class HtmlReport:
    """Writes the report of what `reporter` has collected, also of a run that was stopped.

    Parameters
    ----------
    config: the session's config.
    file: where to write, relative to the directory in which pytest was started.

    Raises pytest.UsageError where `file` cannot be written.
    """

    def __init__(self, config: pytest.Config, file: str, reporter: Reporter) -> None:
        self._config = config
        self._path = config.invocation_params.dir / Path(file).expanduser()
        self._reporter = reporter
        self._started = datetime.now(UTC)
        self._clock = time.perf_counter()
        self._failure = ""
        if self._path.is_dir():
            raise pytest.UsageError(f"--rewardkit-html: {self._path} is a directory; name a file in it")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._config.getoption("collectonly"):
            return
        decisions = self._reporter.decisions
        gates = [Gate(decision.name.capitalize(), decision.state.value, decision.reason) for decision in decisions]
        title = f"Rewards: {self._config.rootpath.name}"
        try:
            write(report_of(self._reporter.ledger, title=title, facts=self._facts(), gates=gates), self._path)
        except OSError as error:
            # A report that somebody waits for must not be missed in silence.
            self._failure = one_line(str(error), 300)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failure:
            terminalreporter.write_line(f"HTML report not written: {self._failure}", red=True)
        elif self._config.get_verbosity() >= 0 and not self._config.getoption("collectonly"):
            terminalreporter.write_line(f"HTML report: {self._path}")

    def _facts(self) -> dict[str, str]:
        workers = getattr(self._config.option, "tx", None)
        facts = {
            "Started": f"{self._started:%Y-%m-%d %H:%M} UTC",
            "Duration": duration(time.perf_counter() - self._clock),
            "Sandboxes": self._reporter.header,
            "Workers": str(len(workers)) if workers else "",
            "Python": platform.python_version(),
            "System": f"{platform.system()} {platform.machine()}",
            "pytest": pytest.__version__,
            "pytest-rewardkit": version("pytest-rewardkit"),
        }
        return {name: fact for name, fact in facts.items() if fact}
