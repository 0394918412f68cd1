"""The lines of a results file; schema.json beside this file describes them to others."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.reduce import parse_reducer
from pytest_rewardkit.ledger.test import CRASHED, TestResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.ledger.gate import Decision
    from pytest_rewardkit.ledger.ledger import Figures
    from pytest_rewardkit.ledger.test import Test

VERSION: Final = 1
RUN: Final = "run"
ATTEMPT: Final = "attempt"
END: Final = "end"

# The encoded data is made here and has no cycles.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a line."""
    loaded: dict[str, Any] = json.loads((files(__package__) / "schema.json").read_text("utf-8"))
    return loaded


def to_text(line: Mapping[str, Any]) -> str:
    """Return a line as ASCII JSON with its line break; lone surrogates become U+FFFD."""
    text = _ENCODER.encode(line)
    if "\\ud" in text:
        text = _ENCODER.encode(_whole(line))
    return text + "\n"


def run_line(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first line: the circumstances of the run, by name."""
    return {"v": VERSION, "type": RUN, **facts}


def attempt_line(test: Test, index: int | None) -> dict[str, Any]:
    """Return the line of the last result of `test`; fields with their default are left out.

    Parameters:
        index: the position of the test among all collected ones, from 0; None if unknown.
    """
    result = test.last
    line: dict[str, Any] = {
        "v": VERSION,
        "type": ATTEMPT,
        "node_id": test.node_id,
        "attempt": len(test.results),
        "outcome": result.outcome,
        "duration": round(result.duration, 6),
    }
    if index is not None:
        line["index"] = index
    if result.line is not None:
        line["line"] = result.line
    if result.kept:
        line["kept"] = True
    if result.record is None:
        return {**line, "reward": None, "verdict": CRASHED, "reason": result.cause}
    return {**line, **result.record.to_fields()}


def end_line(
    *,
    ended: str,
    seconds: float,
    exit_status: int,
    complete: bool,
    figures: Figures,
    decisions: Sequence[Decision],
    uncollected: int = 0,
    narrowed_by: str = "",
) -> dict[str, Any]:
    """Return the last line: the results of the run.

    Parameters:
        ended: when, in ISO 8601 with the offset to UTC.
        seconds: how long the run took.
        complete: whether all tests were tried that should be.
        uncollected: how many files could not be collected.
        narrowed_by: how the tests were selected from all; "" if all were to run.
    """
    line = {
        "v": VERSION,
        "type": END,
        "ended": ended,
        "seconds": round(seconds, 3),
        "exit_status": exit_status,
        "complete": complete,
        "figures": {
            "tests": figures.tests,
            "attempts": figures.attempts,
            "scored": figures.scored,
            "unscored": figures.unscored,
            "mean": figures.mean,
            "strict_mean": figures.strict_mean,
            "verdicts": figures.verdicts,
            "reruns": figures.reruns,
            "sandboxes": figures.sandboxes,
            "start_p50": figures.start_p50,
            "start_p95": figures.start_p95,
        },
        "gates": [{"name": it.name, "state": it.state.value, "reason": it.reason} for it in decisions],
        "missing": list(figures.missing),
        "uncollected": uncollected,
    }
    return {**line, "narrowed_by": narrowed_by} if narrowed_by else line


def result_of(line: Mapping[str, Any]) -> TestResult:
    """Return the result that `attempt_line` wrote.

    Raises KeyError, TypeError, ValueError or RewardkitUsageError for an invalid line.
    """
    crashed = line["verdict"] == CRASHED
    record = None if crashed else Record.from_fields(line)
    if record is not None and not isinstance(record.params, dict):
        raise TypeError(f"params must be an object, not {record.params!r}")
    if record is not None and record.task is not None:
        if not isinstance(record.task, str):
            raise TypeError(f"task must be a text, not {record.task!r}")
        parse_reducer(str(record.reduce))
    return TestResult(
        line["outcome"],
        float(line["duration"]),
        record,
        line.get("reason", "") if crashed else "",
        line=line.get("line"),
        kept=line.get("kept", False),
    )


def _whole(value: Any) -> Any:
    """Return a JSON value in which every text can be encoded, as many parsers require."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
