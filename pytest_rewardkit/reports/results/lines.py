"""What a results file says, line by line; schema.json beside this file describes the same to others."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.reward import Reward, Verdict
from pytest_rewardkit.run.ledger import CRASHED, Attempt
from pytest_rewardkit.run.record import (
    Record,
    SandboxUse,
    evidence_from_wire,
    evidence_to_wire,
    part_from_wire,
    part_to_wire,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.run.gates import Decision
    from pytest_rewardkit.run.ledger import Figures, Test

VERSION: Final = 1
RUN: Final = "run"
ATTEMPT: Final = "attempt"
END: Final = "end"

_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a line."""
    loaded: dict[str, Any] = json.loads((files(__package__) / "schema.json").read_text("utf-8"))
    return loaded


def to_text(line: Mapping[str, Any]) -> str:
    """Return a line as ASCII JSON with its line break; surrogates without their other half become U+FFFD."""
    text = _ENCODER.encode(line)
    if "\\ud" in text:
        text = _ENCODER.encode(_whole(line))
    return text + "\n"


def run_line(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first line: the circumstances of the run, by name."""
    return {"v": VERSION, "type": RUN, **facts}


def attempt_line(test: Test, index: int | None) -> dict[str, Any]:
    """Return the line of the last attempt at `test`; what has its default is left out.

    Parameters
    ----------
    index: the place of the test among all that were collected, from 0; None when it is not known.
    """
    attempt = test.last
    line: dict[str, Any] = {
        "v": VERSION,
        "type": ATTEMPT,
        "node_id": test.node_id,
        "index": index,
        "line": attempt.line,
        "attempt": len(test.attempts),
        "outcome": attempt.outcome,
        "reward": None,
        "verdict": CRASHED,
        "reason": attempt.cause,
        "duration": round(attempt.duration, 6),
        "kept": attempt.kept,
    }
    if attempt.record is not None:
        line |= _of_record(attempt.record)
    # By identity where 0 would be equal: it is said.
    return {
        key: value
        for key, value in line.items()
        if key == "reward" or not (value is None or value is False or value == "")
    }


def end_line(
    *,
    ended: str,
    seconds: float,
    exit_status: int,
    complete: bool,
    figures: Figures,
    decisions: Sequence[Decision],
    uncollected: int = 0,
) -> dict[str, Any]:
    """Return the last line: what the run amounts to.

    Parameters
    ----------
    ended: when, in ISO 8601 with the offset to UTC.
    seconds: how long the run took.
    complete: whether all tests were tried that were to be tried.
    uncollected: how many files could not be collected.
    """
    return {
        "v": VERSION,
        "type": END,
        "ended": ended,
        "seconds": round(seconds, 3),
        "exit_status": exit_status,
        "complete": complete,
        "figures": {
            "tests": figures.tests,
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


def attempt_of(line: Mapping[str, Any]) -> Attempt:
    """Return the attempt that `attempt_line` wrote.

    Raises KeyError, TypeError or ValueError for a line that says something else.
    """
    crashed = line["verdict"] == CRASHED
    return Attempt(
        line["outcome"],
        float(line["duration"]),
        None if crashed else _record_of(line),
        line.get("reason", "") if crashed else "",
        line=line.get("line"),
        kept=line.get("kept", False),
    )


def _whole(value: Any) -> Any:
    """Return a JSON value in which every text can be encoded, as many parsers demand."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def _of_record(record: Record) -> dict[str, Any]:
    reward = record.reward
    assert reward is not None
    return {
        "row": record.row,
        "reduce": record.reduce,
        "group": record.group,
        "threshold": record.threshold,
        "weight": record.weight,
        "must_pass": record.must_pass,
        "reward": reward.value,
        "verdict": reward.verdict.value,
        "reason": reward.reason,
        "parts": [part_to_wire(part) for part in reward.parts] or None,
        "evidence": [evidence_to_wire(item) for item in reward.evidence] or None,
        "left_out": record.left_out or None,
        "timings": _timings(record, reward),
        "sandboxes": [asdict(use) for use in record.sandboxes] or None,
    }


def _record_of(line: Mapping[str, Any]) -> Record:
    parts = tuple(part_from_wire(part) for part in line.get("parts", ()))
    evidence = tuple(evidence_from_wire(item) for item in line.get("evidence", ()))
    return Record(
        reward=Reward(line["reward"], parts, Verdict(line["verdict"]), line.get("reason", ""), evidence),
        threshold=line.get("threshold"),
        weight=line.get("weight", 1.0),
        group=line.get("group"),
        must_pass=line.get("must_pass", False),
        row=line.get("row"),
        reduce=line.get("reduce"),
        sandboxes=tuple(SandboxUse(**use) for use in line.get("sandboxes", ())),
        left_out=line.get("left_out", 0),
    )


def _timings(record: Record, reward: Reward) -> dict[str, float] | None:
    """Return seconds by what they went to; several sandboxes may have been waited for at the same time."""
    timings = {
        "waiting": sum(use.waited for use in record.sandboxes),
        "creating": sum(use.start for use in record.sandboxes),
        "running": sum(part.duration or 0.0 for part in reward.parts),
    }
    return {name: round(seconds, 6) for name, seconds in timings.items() if seconds} or None
