"""The page before a test is opened: its head, the charts' figures, and the table in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.ledger.worst_parts import costliest
from pytest_rewardkit.reports.html.details import NAME_LIMIT, REASON_LIMIT, WORD_LIMIT
from pytest_rewardkit.text import excerpt, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.reports.html.model import PageTest, Report

WHY_LIMIT: Final = 160
"""Characters of a test's reason in the table."""
LIST_LIMIT: Final = 1000
"""Names in the lists of missing and gone tests; the page says how many more there are."""


def overview(report: Report) -> dict[str, Any]:
    """Return all that the page needs of `report` when it opens, as values for JSON."""
    return {
        "title": excerpt(report.title, NAME_LIMIT),
        "facts": [[excerpt(name, NAME_LIMIT), excerpt(fact, NAME_LIMIT)] for name, fact in report.facts.items()],
        "inSight": [excerpt(fact, NAME_LIMIT) for fact in report.in_sight],
        "history": [[excerpt(when, WORD_LIMIT), mean] for when, mean in report.history],
        "mean": report.mean,
        "leftOut": [excerpt(text, NAME_LIMIT) for text in report.left_out[:LIST_LIMIT]],
        "leftOutCount": len(report.left_out),
        "figures": [
            {
                "label": excerpt(figure.label, NAME_LIMIT),
                "value": excerpt(figure.value, NAME_LIMIT),
                "note": excerpt(figure.note, NAME_LIMIT),
                "tone": figure.tone,
            }
            for figure in report.figures
        ],
        "gates": [
            {
                "name": excerpt(gate.name, NAME_LIMIT),
                "state": gate.state,
                "reason": excerpt(gate.reason, REASON_LIMIT),
            }
            for gate in report.gates
        ],
        "groupedBy": report.grouped_by,
        "interval": excerpt(report.interval, NAME_LIMIT),
        "groups": [
            {
                "name": excerpt(group.name, NAME_LIMIT),
                "tests": group.tests,
                "unscored": group.unscored,
                "mean": group.mean,
                "low": group.low,
                "high": group.high,
                "baseline": group.baseline,
            }
            for group in report.groups
        ],
        "models": [[excerpt(cell, NAME_LIMIT) for cell in row] for row in report.models[:LIST_LIMIT]],
        "modelDifferences": [excerpt(text, NAME_LIMIT) for text in report.model_differences[:LIST_LIMIT]],
        "table": _table(report.tests),
        "missing": [excerpt(node_id, NAME_LIMIT) for node_id in report.missing[:LIST_LIMIT]],
        "missingCount": len(report.missing),
        "gone": [[excerpt(node_id, NAME_LIMIT), value] for node_id, value in [*report.gone.items()][:LIST_LIMIT]],
        "goneCount": len(report.gone),
    }


def _table(tests: Sequence[PageTest]) -> dict[str, Any]:
    """Return the table by columns; repeated values become a list of names, with an index into it per row."""
    table = {
        "id": [excerpt(test.node_id, NAME_LIMIT) for test in tests],
        "value": [test.counted for test in tests],
        "verdict": _indexed([test.verdict or test.attempts[-1].verdict for test in tests], WORD_LIMIT),
        "outcome": _indexed([test.outcome or test.attempts[-1].outcome for test in tests], WORD_LIMIT),
        "group": _indexed([test.group for test in tests], NAME_LIMIT),
        "why": [_why(test) for test in tests],
        "seconds": [_seconds(test) for test in tests],
        "attempts": [len(test.attempts) for test in tests],
    }
    if any(test.change for test in tests):
        table["baseline"] = [test.baseline for test in tests]
        table["change"] = _indexed([test.change for test in tests], WORD_LIMIT)
    return table


def _why(test: PageTest) -> str:
    """Return the main cause of a lost reward, on one line: the lowest part's reason, else the reward's."""
    last = test.attempts[-1]
    cost = costliest(last.parts) if last.parts else ""
    return one_line(test.why or cost or last.reason, WHY_LIMIT)


def _indexed(values: Sequence[str], limit: int) -> dict[str, Any]:
    """Return `values`, few of which differ, as excerpts of at most `limit` characters."""
    places: dict[str, int] = {}
    place_of = {value: places.setdefault(excerpt(value, limit), len(places)) for value in dict.fromkeys(values)}
    return {"names": list(places), "rows": [place_of[value] for value in values]}


def _seconds(test: PageTest) -> float | None:
    """Return how long all attempts took, as far as known."""
    spent: float | None = None
    for attempt in test.attempts:
        if attempt.seconds is not None:
            spent = (spent or 0.0) + attempt.seconds
    return None if spent is None else round(spent, 4)
