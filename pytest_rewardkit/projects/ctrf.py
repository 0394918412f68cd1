"""Test reports in the Common Test Report Format (ctrf.io). Pure."""

from __future__ import annotations

import json

from pytest_rewardkit.projects.outcomes import ReportedOutcome, TestOutcome, UnreadableReport

_OUTCOMES = {"passed": ReportedOutcome.PASSED, "skipped": ReportedOutcome.SKIPPED, "pending": ReportedOutcome.SKIPPED}


def read_ctrf(report: bytes) -> list[TestOutcome]:
    """Return the outcomes of a report. Raises UnreadableReport."""
    try:
        tests = json.loads(report)["results"]["tests"]
        return [_outcome(test) for test in tests]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise UnreadableReport(f"the report is no CTRF file: {type(error).__name__}: {error}"[:300]) from None


def _outcome(test: dict[str, object]) -> TestOutcome:
    duration = test["duration"]
    seconds = duration / 1000 if isinstance(duration, int | float) else None
    outcome = _OUTCOMES.get(str(test["status"]), ReportedOutcome.FAILED)
    return TestOutcome(str(test["name"]), outcome, str(test.get("message", "")), seconds)
