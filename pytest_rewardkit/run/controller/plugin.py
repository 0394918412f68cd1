"""The process where results end: reports become results in the ledger, gates decide, the terminal shows both."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.formatting import counted
from pytest_rewardkit.ledger.graders import graders_in
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.pytest_internals import terminal_encoding
from pytest_rewardkit.reports import terminal
from pytest_rewardkit.reports.graders import lines
from pytest_rewardkit.reports.properties import properties_of
from pytest_rewardkit.reports.terminal_lines import glyphs
from pytest_rewardkit.run.controller.details_budget import DetailsBudget
from pytest_rewardkit.run.controller.narrowing import DESELECTED, narrowed_by
from pytest_rewardkit.run.controller.progress import Progress
from pytest_rewardkit.run.controller.stored_reports import KEPT_ATTRIBUTE
from pytest_rewardkit.run.transport import user_property
from pytest_rewardkit.run.transport.node_ids import have_groups, named_in, told_apart, without_group
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pytest_rewardkit.ledger.baseline import BaselineComparison
    from pytest_rewardkit.ledger.gate import Decision
    from pytest_rewardkit.ledger.judge import Judge
    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.reports.terminal_lines import Line
    from pytest_rewardkit.settings import RunSettings

_PHASES: Final = ("setup", "call", "teardown")


class ControllerPlugin:
    """Collects reports from this process or from pytest-xdist's workers; only with ``--rewardkit``.

    Parameters:
        config: the session's config.
        settings: what the user asked for.
        describe: says where sandboxes come from, for pytest's header, once that is known.
        judge: decides the exit status, together with the tests themselves.
    """

    def __init__(self, config: pytest.Config, settings: RunSettings, describe: Callable[[], str], judge: Judge) -> None:
        self.ledger = Ledger()
        self._config = config
        self._settings = settings
        self._describe = describe
        self.judge = judge
        self.listeners: list[Callable[[Test], None]] = []
        """Called with a test that has or should have a reward, when it has a new result."""
        self.deciders: list[Callable[[], list[Decision]]] = []
        """Decide in addition to the gates, once the run is over."""
        self.unfinished = ""
        """Why nothing can be said about the run as a whole; "" while nothing is known to be missing."""
        self.chosen: str | None = None
        """What selected the tests of the earlier run that is reported again; None if this run runs tests."""
        self.gates_with_tests: frozenset[str] = frozenset()
        """The gates that had tests to decide about in that run."""
        self._deselected = 0
        self.of_other_shards = 0
        """How many of the deselected tests run in other shards of this run."""
        self.uncollected = 0
        """How many files could not be collected."""
        self._plain: Callable[[str], str] = without_group if have_groups(config) else str
        # With it each worker runs all tests, and each worker's tests count as separate tests.
        self._is_each = config.getoption("dist", "no") == "each"
        self._running: dict[str, Progress] = {}
        self._details_budget = DetailsBudget()
        self._decisions: list[Decision] | None = None

    @property
    def narrowed_by(self) -> str:
        """What selected a part of all tests; "" if all were to run."""
        if self.chosen is not None:
            return self.chosen
        return narrowed_by(self._config, self._deselected - self.of_other_shards)

    @property
    def complete(self) -> bool:
        """Whether every planned test was tried: false while the run goes on, and for a stopped run."""
        # An earlier run that is reported again may have been stopped, even if this session ends normally.
        return self._decisions is not None and not (self.chosen is not None and self.unfinished)

    @property
    def decisions(self) -> list[Decision]:
        """The gates' decisions; for a stopped run, that they did not decide."""
        return self.judge.stopped() if self._decisions is None else self._decisions

    @cached_property
    def comparisons(self) -> list[BaselineComparison]:
        """The run compared with each of its baselines, once it is over."""
        return self.judge.compare(self.ledger)

    @cached_property
    def header(self) -> str:
        """Where sandboxes come from."""
        return self._describe()

    # Before pytest's header, and before pytest-xdist starts its workers.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        try:
            _ = self.header
        except RewardkitUsageError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_report_header(self) -> str:
        return f"rewardkit: {self.header}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.uncollected += report.failed

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._deselected += len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # Each worker collects all tests.
        self._deselected = max(self._deselected, getattr(node, "workeroutput", {}).get(DESELECTED, 0))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._expect([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        self._expect(ids, self._suffix(node))

    # Before other plugins, which report rewards in their own form. Not a wrapper: that takes as long as three hooks.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        node_id = self._name(report)
        if report.when not in _PHASES:
            self._running.pop(node_id, None)
            kept = getattr(report, KEPT_ATTRIBUTE, False)
            self._add(node_id, TestResult(CRASHED, cause=one_line(str(report.longrepr), 300), kept=kept))
            return
        progress = self._running.get(node_id)
        if progress is None:
            progress = self._running[node_id] = Progress()
        record, size = None, 0
        arrived = user_property.take_off(report)
        if arrived and report.when == "teardown":
            wire = str(arrived[0])
            record, size = self._received(wire, report), len(wire)
        elif arrived:
            progress.noted = arrived
        if isinstance(report, pytest.SubtestReport):
            progress.failed_in_part |= report.failed
            return
        progress.reports.append(report)
        if report.when == "teardown":
            del self._running[node_id]
            line = None if report.location[1] is None else report.location[1] + 1
            kept = getattr(report, KEPT_ATTRIBUTE, False)
            self._add(node_id, TestResult(progress.outcome(), progress.duration(), record, line=line, kept=kept), size)

    def noted(self, report: pytest.TestReport) -> list[float | None]:
        """Return the number that the test of `report` has earned, None for an unscored one, as the only item.

        Return no item if the test has earned no reward, or if the report is of a setup that passed or of a teardown.
        """
        if report.when != "call" and not (report.when == "setup" and report.failed):
            return []
        node_id = self._name(report)
        if (progress := self._running.get(node_id)) is not None:
            return progress.noted
        test = self.ledger.get(node_id)
        return [] if test is None or test.reward is None else [test.value]

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        # This runs for each report, and most are of a setup or a teardown that passed.
        if report.when != "call" and report.outcome != "failed":
            return None
        if report.outcome not in ("passed", "failed") or isinstance(report, pytest.SubtestReport):
            return None
        noted = self.noted(report)
        if not noted or hasattr(report, "wasxfail"):
            return None
        letter, word, markup = terminal.status(noted[0], passed=report.passed)
        category = "error" if report.when == "setup" else report.outcome
        return category, letter, (word, markup)

    # Only a decision in this hook changes the exit status that all other plugins report.
    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        if not self._config.getoption("collectonly"):
            if self.uncollected:
                self.unfinished = f"{counted(self.uncollected, 'file')} could not be collected"
            self._decisions = self.judge.decide(
                self.ledger,
                self.comparisons,
                unfinished=self.unfinished,
                narrowed_by=self.narrowed_by,
                gates_with_tests=self.gates_with_tests,
            )
            self._decisions += [decision for decide in self.deciders for decision in decide()]
            if failed := [decision for decision in self._decisions if decision.fails]:
                session.testsfailed += 1
                session.shouldfail = terminal.stopped_by(failed)
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        verbosity = self._config.get_verbosity()
        if verbosity < -1 or self._config.getoption("collectonly"):
            return
        if checks := graders_in(self.ledger):
            self._show_graders(terminalreporter, checks)
            return
        figures = self.ledger.figures()
        if verbosity < 0:
            lines = terminal.brief_section(figures, decisions=self.decisions, comparisons=self.comparisons)
            _write(terminalreporter, lines)
            return
        terminalreporter.section("rewards")
        lines = terminal.section(
            self.ledger,
            figures,
            width=self._config.get_terminal_writer().fullwidth,
            verbosity=verbosity,
            using=glyphs(terminal_encoding(self._config)),
            decisions=self.decisions,
            comparisons=self.comparisons,
        )
        _write(terminalreporter, lines)
        for added in self._config.hook.pytest_rewardkit_summary(ledger=self.ledger, config=self._config):
            for line in added or ():
                terminalreporter.write_line(line)

    def _show_graders(self, terminalreporter: pytest.TerminalReporter, checks: Sequence[Test]) -> None:
        terminalreporter.section("self-check of graders")
        width = self._config.get_terminal_writer().fullwidth
        for line in lines(checks, width=width, verbosity=self._config.get_verbosity()):
            terminalreporter.write_line(line)
        _write(terminalreporter, [terminal.verdict(decision) for decision in self.decisions])

    def _name(self, report: pytest.TestReport) -> str:
        """Return the node id that this class uses for the test of `report`."""
        node_id = named_in(report) or self._plain(report.nodeid)
        return node_id + self._suffix(getattr(report, "node", None)) if self._is_each else node_id

    def _suffix(self, node: Any) -> str:
        """Return the suffix that distinguishes the tests of one pytest-xdist worker from those of others."""
        return f"@{node.gateway.id}" if self._is_each and node is not None else ""

    def _received(self, wire: str, report: pytest.TestReport) -> Record:
        """Return the record from `report`, and leave on the report what other plugins can read."""
        record = Record.from_wire(wire)
        if self._is_each and record.task is not None:
            record.task += self._suffix(getattr(report, "node", None))
        if self._settings.junit_properties:
            report.user_properties += properties_of(record)
        return record

    def _add(self, node_id: str, result: TestResult, size: int = 0) -> None:
        test = self.ledger.add(node_id, result)
        if self.listeners and (test.crashed or test.reward is not None):
            for listener in self.listeners:
                listener(test)
        if result.record is not None:
            self._details_budget.bound(result.record, size)

    def _expect(self, node_ids: Sequence[str], suffix: str = "") -> None:
        if not self._config.getoption("collectonly"):
            self.ledger.expect(node_id + suffix for node_id in told_apart(map(self._plain, node_ids)))


def _write(terminalreporter: pytest.TerminalReporter, lines: Sequence[Line]) -> None:
    for line in lines:
        for text, markup in line:
            terminalreporter.write(text, **dict.fromkeys(markup, True))
        terminalreporter.line("")
