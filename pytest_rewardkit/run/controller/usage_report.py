"""Says at a run's end which sandboxes it used, and whether that exceeds its bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.ledger.gate import Decision, GateState
from pytest_rewardkit.reports.usage import usage_lines
from pytest_rewardkit.sandboxes.usage.figures import E2B_PRICES, E2B_PRICES_OF, sizes
from pytest_rewardkit.text import one_line, printable

if TYPE_CHECKING:
    from pytest_rewardkit.run.provision import Provision
    from pytest_rewardkit.sandboxes.usage.figures import SandboxUsage
    from pytest_rewardkit.sandboxes.usage.meter import UsageMeter


class UsageReport:
    """Adds the use of sandboxes to the summary, after all remaining ones have ended.

    Parameters:
        provision: where the run's sandboxes come from.
        meter: notes them.
    """

    def __init__(self, provision: Provision, meter: UsageMeter) -> None:
        self._provision = provision
        self._meter = meter

    def decisions(self) -> list[Decision]:
        """What the bounds on sandboxes decide."""
        told = self._meter.bounds.told(self._meter.journal.usage())
        return [
            Decision(name, GateState.PASSED if kept else GateState.FAILED, words)
            for name, (kept, words) in told.items()
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        trouble = ""
        try:
            self._provision.end_sandboxes()
        except Exception as error:
            trouble = one_line(f"sandboxes may be left over: {type(error).__name__}: {error}", 300)
        usage = self._meter.journal.usage()
        if terminalreporter.config.get_verbosity() < 0 or not (usage.created or usage.open_marks or trouble):
            return
        lines = usage_lines(
            created=usage.created,
            reused=usage.reused,
            killed=usage.killed,
            left=usage.left(),
            seconds=usage.seconds(),
            cost=self._cost(usage),
            again=usage.again,
            repeated=usage.repeated,
            sweep=f"python -m pytest_rewardkit sweep --run {self._provision.run_id} --yes",
        )
        for line in [*lines, trouble] if trouble else lines:
            terminalreporter.write_line(printable(line))

    def _cost(self, usage: SandboxUsage) -> str:
        prices = self._meter.bounds.prices
        if prices is None:
            return ""
        of = f" at E2B's prices of {E2B_PRICES_OF}" if prices == E2B_PRICES else ""
        sized = ", ".join(f"{processors:g} vCPU and {gib:g} GiB" for processors, gib in sizes(usage.lives.values()))
        return f"about ${usage.cost(prices, time.time()):.4f}{of} ({sized})"
