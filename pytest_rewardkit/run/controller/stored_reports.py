"""Turns results of an earlier run into pytest's reports, so that every other report of this run has them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from pytest_rewardkit.ledger.test import CRASHED
from pytest_rewardkit.ledger.worst_parts import costliest
from pytest_rewardkit.reports.failure import under_threshold
from pytest_rewardkit.run.transport import user_property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_rewardkit.ledger.test import TestResult

KEPT_ATTRIBUTE: Final = "rewardkit_kept"
"""The attribute of a report whose test did not run now but was taken from an earlier run."""

Location = tuple[str, int | None, str]

_FAILED: Final = ("failed", "error")


def location_of(node_id: str, result: TestResult) -> Location:
    """Return where a test is, as far as its node id and its earlier result say."""
    path, _, names = node_id.partition("::")
    return path, None if result.line is None else result.line - 1, names.replace("::", ".")


def reports_of(
    node_id: str, result: TestResult, location: Location, *, kept: bool = True
) -> Iterator[pytest.TestReport]:
    """Yield the reports of a result, in order; the teardown's report carries its record.

    Parameters:
        kept: whether the test was taken from an earlier run instead of being run.
    """
    for report in _reports(node_id, result, location):
        setattr(report, KEPT_ATTRIBUTE, kept)
        yield report


def _reports(node_id: str, result: TestResult, location: Location) -> Iterator[pytest.TestReport]:
    if result.outcome == CRASHED:
        # As in the reports that pytest-xdist makes of a worker's death.
        when: Any = "???"
        yield _report(node_id, location, when, "failed", longrepr=result.cause)
        return
    broken = result.outcome == "error"
    yield _report(
        node_id, location, "setup", "failed" if broken else "passed", longrepr=_why(result) if broken else None
    )
    if not broken:
        yield _called(node_id, result, location)
    teardown = _report(node_id, location, "teardown", "passed")
    if result.record is not None:
        user_property.send(result.record, teardown)
    yield teardown


def _called(node_id: str, result: TestResult, location: Location) -> pytest.TestReport:
    outcomes: dict[str, Any] = {"xfailed": "skipped", "xpassed": "passed"}
    outcome = outcomes.get(result.outcome, result.outcome)
    failed = outcome in ("failed", "rerun")
    report = _report(node_id, location, "call", outcome, longrepr=_why(result) if failed else None)
    report.duration = result.duration
    if result.outcome in outcomes:
        report.wasxfail = ""  # pytest recognises xfail by it
    if result.record is not None and (reward := result.record.reward) is not None:
        user_property.send_value(reward.value, report)
    return report


def _report(
    node_id: str,
    location: Location,
    when: Literal["setup", "call", "teardown"],
    outcome: Literal["passed", "failed", "skipped"],
    longrepr: str | None = None,
) -> pytest.TestReport:
    return pytest.TestReport(node_id, location, {}, outcome, longrepr, when)


def _why(result: TestResult) -> str:
    """Return the explanation of a failed test of an earlier run."""
    record = result.record
    if record is None or record.reward is None:
        return "failed in an earlier run"
    reward = record.reward
    if reward.value is not None and record.threshold is not None and not reward.reaches(record.threshold):
        return f"in an earlier run: {under_threshold(reward, record.threshold)}"
    return f"failed in an earlier run: {costliest(reward.parts) or reward.reason or reward.verdict.value}"
