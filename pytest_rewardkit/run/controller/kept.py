"""Attempts of an earlier run as pytest's reports, so that every other report of this run has them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from pytest_rewardkit.ledger.attempts import CRASHED
from pytest_rewardkit.ledger.worst_parts import costliest
from pytest_rewardkit.reports.failure import under_threshold
from pytest_rewardkit.run.transport import user_property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_rewardkit.ledger.attempts import Attempt

KEPT_ATTRIBUTE: Final = "rewardkit_kept"
"""The attribute of a report whose test was not run now, but taken over from an earlier run."""

Location = tuple[str, int | None, str]

_FAILED: Final = ("failed", "error")


def location_of(node_id: str, attempt: Attempt) -> Location:
    """Return where a test is, as far as its node id and its earlier attempt say."""
    path, _, names = node_id.partition("::")
    return path, None if attempt.line is None else attempt.line - 1, names.replace("::", ".")


def reports_of(node_id: str, attempt: Attempt, location: Location) -> Iterator[pytest.TestReport]:
    """Yield the reports of an attempt, in their order; that of the teardown carries its record."""
    if attempt.outcome == CRASHED:
        # Such as pytest-xdist makes of a worker's death.
        when: Any = "???"
        yield _report(node_id, location, when, "failed", longrepr=attempt.cause)
        return
    broken = attempt.outcome == "error"
    yield _report(
        node_id, location, "setup", "failed" if broken else "passed", longrepr=_why(attempt) if broken else None
    )
    if not broken:
        yield _called(node_id, attempt, location)
    teardown = _report(node_id, location, "teardown", "passed")
    if attempt.record is not None:
        user_property.send(attempt.record, teardown)
    yield teardown


def _called(node_id: str, attempt: Attempt, location: Location) -> pytest.TestReport:
    outcomes: dict[str, Any] = {"xfailed": "skipped", "xpassed": "passed"}
    outcome = outcomes.get(attempt.outcome, attempt.outcome)
    failed = outcome in ("failed", "rerun")
    report = _report(node_id, location, "call", outcome, longrepr=_why(attempt) if failed else None)
    report.duration = attempt.duration
    if attempt.outcome in outcomes:
        report.wasxfail = ""  # pytest knows xfail by it
    if attempt.record is not None and (reward := attempt.record.reward) is not None:
        user_property.send_value(reward.value, report)
    return report


def _report(
    node_id: str,
    location: Location,
    when: Literal["setup", "call", "teardown"],
    outcome: Literal["passed", "failed", "skipped"],
    longrepr: str | None = None,
) -> pytest.TestReport:
    report = pytest.TestReport(node_id, location, {}, outcome, longrepr, when)
    setattr(report, KEPT_ATTRIBUTE, True)
    return report


def _why(attempt: Attempt) -> str:
    """Return what is said of an attempt that failed, in an earlier run."""
    record = attempt.record
    if record is None or record.reward is None:
        return "failed in an earlier run"
    reward = record.reward
    if reward.value is not None and record.threshold is not None and not reward.reaches(record.threshold):
        return f"in an earlier run: {under_threshold(reward, record.threshold)}"
    return f"failed in an earlier run: {costliest(reward.parts) or reward.reason or reward.verdict.value}"
