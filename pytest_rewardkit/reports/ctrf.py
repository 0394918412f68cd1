"""A run in the Common Test Report Format (CTRF 1.0.0, ctrf.io), with rewards in its fields for extensions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.ledger.reward_fields import said
from pytest_rewardkit.ledger.test import CRASHED
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.ledger.ledger import Ledger
    from pytest_rewardkit.ledger.test import Test, TestResult
    from pytest_rewardkit.reward import Part, Reward

SPECIFICATION: Final = "1.0.0"

# An expected failure counts as skipped, as in JUnit files.
_STATUSES: Final = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "rerun": "failed",
    CRASHED: "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
}


def ctrf_report(
    ledger: Ledger, *, versions: Mapping[str, str], started: int, stopped: int, written: str
) -> dict[str, Any]:
    """Return the report of all tests of a run, including those without a reward; tests that never ran are pending.

    Parameters:
        versions: of "pytest" and of "pytest-rewardkit".
        started, stopped: the run's start and end, in milliseconds since 1970.
        written: the report's time, in ISO 8601 with the offset to UTC.
    """
    tests = [_test(test) for test in ledger.all_tests]
    tests += [{"name": node_id, "status": "pending", "duration": 0, **_place(node_id)} for node_id in ledger.missing]
    counts = dict.fromkeys(("passed", "failed", "skipped", "pending", "other"), 0)
    for test in tests:
        counts[test["status"]] += 1
    figures = ledger.figures()
    rewards = {name: getattr(figures, name) for name in ("mean", "strict_mean", "scored", "unscored")}
    summary = {
        "tests": len(tests),
        **counts,
        "flaky": sum(test.get("flaky", False) for test in tests),
        "start": started,
        "stop": max(started, stopped),
        "duration": max(0, stopped - started),
        "extra": {"rewards": rewards},
    }
    return {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "timestamp": written,
        "generatedBy": f"pytest-rewardkit {versions['pytest-rewardkit']}",
        "results": {"tool": {"name": "pytest", "version": versions["pytest"]}, "summary": summary, "tests": tests},
    }


def _test(test: Test) -> dict[str, Any]:
    status = _STATUSES.get(test.last.outcome, "other")
    fields: dict[str, Any] = {
        "name": test.node_id,
        "status": status,
        "rawStatus": test.last.outcome,
        "duration": _milliseconds(test.last.duration),
        **_place(test.node_id),
        **({"line": test.last.line} if test.last.line is not None else {}),
    }
    if test.reruns:
        tries = [_try(number, result) for number, result in enumerate(test.results, 1)]
        fields |= {"retries": test.reruns, "retryAttempts": tries[:-1]}
        if status == "passed" and any(each["status"] == "failed" for each in tries):
            fields["flaky"] = True
    if test.last.cause:
        fields["message"] = printable(test.last.cause)
    record = test.last.record
    if record is None or record.reward is None:
        return fields
    reward = record.reward
    if reward.value != 1 and reward.reason:
        fields["message"] = printable(reward.reason, keep="\n\t")
    about = said(
        {"group": record.group, "row": record.row, "weight": record.weight, "left_out": record.left_out or None}
    )
    return {
        **fields,
        **({"steps": [_step(part) for part in reward.parts]} if reward.parts else {}),
        "extra": {"reward": {**_number(reward), **said(about)}},
    }


def _place(node_id: str) -> dict[str, Any]:
    path, *inner = node_id.partition("[")[0].split("::")
    return {"filePath": path, "suite": [path, *inner[:-1]]}


def _try(number: int, result: TestResult) -> dict[str, Any]:
    status = _STATUSES.get(result.outcome, "other")
    return {"attempt": number, "status": status, "duration": _milliseconds(result.duration)}


def _step(part: Part) -> dict[str, Any]:
    status = "other" if part.value is None else "passed" if part.value == 1 else "failed"
    reason = {"reason": printable(part.reason, keep="\n\t")} if part.reason else {}
    return {"name": printable(part.name), "status": status, "extra": {**_number(part), "weight": part.weight, **reason}}


def _number(scored: Reward | Part) -> dict[str, Any]:
    return {"value": scored.value, "verdict": scored.verdict.value}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
