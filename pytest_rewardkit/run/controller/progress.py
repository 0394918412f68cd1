"""The state of a test that still runs, from the reports that have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


class Progress:
    """What is known of a test that is still running."""

    __slots__ = ("failed_in_part", "noted", "reports")

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []
        """One for each phase that has ended."""
        self.failed_in_part = False
        """Whether a subtest has failed."""
        self.noted: list[Any] = []
        """The number that the test has earned, None for an unscored one, as the only item once it is known."""

    def duration(self) -> float:
        return sum([report.duration for report in self.reports])

    def outcome(self) -> str:
        """How the test has ended, including changes that other plugins have made to its reports."""
        outcome = "failed" if self.failed_in_part else "passed"
        for report in self.reports:
            # The first failure decides the outcome; a rerun or a skip counts as one.
            if outcome in ("passed", "xpassed"):
                outcome = _outcome(report, outcome)
        return outcome


def _outcome(report: pytest.TestReport, before: str) -> str:
    """Return the state of a test after `report`, given its state `before`."""
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.outcome == "passed":
        return before
    return "error" if report.outcome == "failed" and report.when != "call" else report.outcome
