"""Compares a run with its baseline, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, from_to, shown, signed
from pytest_rewardkit.ledger.baseline import CONFIDENCE, Change
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger.baseline import BaselineComparison
    from pytest_rewardkit.ledger.ledger import Figures

_NAME_LIMIT: Final = 300
_GONE: Final = "gone"


def summary(comparison: BaselineComparison) -> list[str]:
    """Return how many tests changed in which way, and how their mean changed."""
    lines = [f"baseline {one_line(comparison.name, 100)}: {counts(comparison)}"]
    if comparison.means is not None:
        before, now = comparison.means
        low, high = comparison.interval()
        lines.append(
            f"mean of the {counted(len(comparison.pairs), 'test')} in both {from_to(before, now)}, "
            f"change {signed(now - before)}, {CONFIDENCE * 100:.4g} % interval {signed(low)} to {signed(high)}"
        )
    return lines


def table(comparisons: Sequence[BaselineComparison], figures: Figures) -> list[tuple[str, ...]]:
    """Return this run and those compared with it as rows of a table, column names first."""
    head = ("run", "tests", "mean", "change", f"{CONFIDENCE * 100:.4g} % interval", "worse", "better")
    rows: list[tuple[str, ...]] = [head, ("this run", f"{figures.tests:,}", shown(figures.mean), "", "", "", "")]
    for comparison in comparisons:
        number = comparison.counts.get
        sides = (f"{number(Change.WORSE, 0):,}", f"{number(Change.BETTER, 0):,}")
        name, both = one_line(comparison.name, 100), f"{len(comparison.pairs):,}"
        if comparison.means is None:
            rows.append((name, both, "-", "", "", *sides))
            continue
        before, now = comparison.means
        low, high = comparison.interval()
        rows.append((name, both, shown(before), signed(now - before), f"{signed(low)} to {signed(high)}", *sides))
    return rows


def counts(comparison: BaselineComparison) -> str:
    """Return how many tests are worse, better, the same and so on."""
    found = [f"{number:,} {change}" for change, number in comparison.counts.items()]
    if comparison.gone:
        found.append(f"{len(comparison.gone):,} gone")
    return ", ".join(found) or "no tests"


def details(comparison: BaselineComparison, *, most: int | None) -> list[tuple[str, str]]:
    """Return lines for the tests that changed, each with a word for its change, the worst first.

    Parameters:
        most: how many lines at most, not counting a note about the rest; None for all.
    """
    now = {pair.node_id: pair.now for pair in comparison.pairs}
    of: dict[str, Sequence[str]] = {Change.WORSE: [pair.node_id for pair in comparison.worst]}
    of[Change.LOST] = _having(comparison, Change.LOST)
    of[_GONE] = comparison.gone
    of[Change.FLAKY] = _having(comparison, Change.FLAKY)
    of[Change.BETTER] = _having(comparison, Change.BETTER)
    found = [
        (str(word), f"{from_to(comparison.before[node_id], now.get(node_id))}  {one_line(node_id, _NAME_LIMIT)}")
        for word, node_ids in of.items()
        for node_id in node_ids
    ]
    if most is not None and len(found) > most:
        found = [*found[:most], ("", f"{len(found) - most:,} more (-v shows all)")]
    return found


def _having(comparison: BaselineComparison, change: Change) -> list[str]:
    return [node_id for node_id, became in comparison.changes.items() if became == change]
