"""Makes the HTML report's content from a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.baseline import REGRESSION
from pytest_rewardkit.ledger.gate import MUST_PASS, RUN, SHARDS
from pytest_rewardkit.ledger.graders import check_of, graders_in
from pytest_rewardkit.ledger.history import History
from pytest_rewardkit.ledger.models import model_results
from pytest_rewardkit.reports import models
from pytest_rewardkit.reports.html.circumstances import in_sight
from pytest_rewardkit.reports.html.figures import INTERVAL, change_figures, grader_figures, groups_of, run_figures
from pytest_rewardkit.reports.html.model import PageGate, Report
from pytest_rewardkit.reports.html.page_tests import page_test

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.ledger.baseline import BaselineComparison
    from pytest_rewardkit.ledger.gate import Decision
    from pytest_rewardkit.ledger.ledger import Ledger

_OF_ALL: Final = {RUN: "Run", MUST_PASS: "Must pass", REGRESSION: "Regression", SHARDS: "Shards"}
"""Names of the gates that are not about a group."""


def report_of(
    ledger: Ledger,
    *,
    title: str = "Rewards",
    facts: Mapping[str, str] | None = None,
    decisions: Sequence[Decision] = (),
    comparisons: Sequence[BaselineComparison] = (),
    history: History | None = None,
    partial: str = "",
) -> Report:
    """Return the report of everything in `ledger`.

    Parameters:
        title: the name of the run.
        facts: the run's circumstances by name; see `facts_in`.
        decisions: the gates' decisions.
        comparisons: the run compared with each of its baselines; tests are shown beside the first.
        history: the earlier runs.
        partial: why its mean cannot be compared with those of `history`; "" if it can.

    Tests whose markers name no group share a group without a name; if no marker names one, files are the groups.
    """
    figures = ledger.figures()
    results = model_results(ledger.tasks)
    checks = graders_in(ledger)
    # In a self-check, tests are grouped by what was checked about their graders.
    named = [check_of(test) or test.group or "" for test in ledger.tasks]
    by_file = not any(named)
    names = [_file(test.node_id) for test in ledger.tasks] if by_file else named
    comparison = comparisons[0] if comparisons else None
    before, changes = ({}, {}) if comparison is None else (comparison.before, comparison.changes)
    earlier = history or History()
    tests = [page_test(test, name, before, changes, earlier) for test, name in zip(ledger.tasks, names, strict=True)]
    return Report(
        tests=tests,
        title=title,
        facts=facts or {},
        in_sight=in_sight(facts or {}),
        history=[(f"{run.started:%Y-%m-%d %H:%M}", run.mean) for run in earlier.runs],
        mean=None if partial else figures.mean,
        left_out=earlier.left_out,
        figures=[*(grader_figures(checks) or run_figures(figures, tests)), *change_figures(comparisons)],
        gates=_gates(decisions),
        groups=groups_of(tests),
        grouped_by="check" if checks else "file" if by_file else "group",
        interval=INTERVAL if comparison is None else f"{INTERVAL}; the tick is the baseline",
        missing=figures.missing,
        models=models.table(results),
        model_differences=models.differences(results),
        gone={} if comparison is None else {node_id: before[node_id] for node_id in comparison.gone},
    )


def _gates(decisions: Sequence[Decision]) -> list[PageGate]:
    """Return the gates' decisions, those that fail the run first."""
    failed_first = sorted(decisions, key=lambda decision: not decision.fails)
    return [PageGate(_OF_ALL.get(it.name, f"Group {it.name}"), it.state.value, it.reason) for it in failed_first]


def _file(node_id: str) -> str:
    return node_id.partition("::")[0]
