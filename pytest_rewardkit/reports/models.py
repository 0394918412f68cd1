"""The use of models, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.formatting import counted, duration, shown, signed
from pytest_rewardkit.ledger.baseline import CONFIDENCE, Change
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger.model_use import ModelUse
    from pytest_rewardkit.ledger.models import ModelResult


def asked(use: ModelUse) -> str:
    """Return the cost of asking in one line: ``12 answers of models, 8 on record, 1,234 tokens in, 567 out, $0.12``."""
    found = [counted(use.answers, "answer") + " of models"]
    if use.replayed:
        found.append(f"{use.replayed:,} on record")
    return ", ".join([*found, *took(use)])


def took(use: ModelUse) -> list[str]:
    """Return what is known about tokens, cost and time."""
    found = []
    if use.input_tokens is not None:
        found.append(f"{use.input_tokens:,} tokens in")
    if use.output_tokens is not None:
        found.append(f"{use.output_tokens:,} {'out' if found else 'tokens out'}")
    if use.cost is not None:
        before = "" if not use.replayed_cost else f" ({dollars(use.replayed_cost)} of it earlier)"
        found.append(f"model cost {dollars(use.cost)}{before}")
    if use.seconds is not None:
        found.append(f"{duration(use.seconds)} of models' time")
    return found


def table(results: Sequence[ModelResult]) -> list[tuple[str, ...]]:
    """Return models side by side as rows of a table, column names first; nothing if there are no models."""
    if not results:
        return []
    head = ("model", "tests", "unscored", "mean", f"{CONFIDENCE * 100:.4g} % interval", "model cost")
    return [head, *map(_row, results)]


def differences(results: Sequence[ModelResult]) -> list[str]:
    """Return how each model differs from the first one, over the tests in which both have a number."""
    found = []
    for result in results:
        if (difference := result.difference) is None:
            continue
        beside = f"{one_line(result.name, 100)} beside {one_line(difference.name, 100)}"
        if difference.means is None:
            found.append(f"{beside}: no test has a number of both")
            continue
        before, now = difference.means
        low, high = difference.interval()
        sides = [
            f"{number:,} {change}"
            for change in (Change.BETTER, Change.WORSE, Change.FLAKY)
            if (number := difference.counts.get(change, 0))
        ]
        found.append(
            f"{beside}: {signed(now - before)} over {counted(len(difference.pairs), 'test')}, "
            f"{CONFIDENCE * 100:.4g} % interval {signed(low)} to {signed(high)}"
            + (f" ({', '.join(sides)})" if sides else "")
        )
    return found


def _row(result: ModelResult) -> tuple[str, ...]:
    cost = None if result.asked is None else result.asked.cost
    return (
        one_line(result.name, 100),
        f"{result.tests:,}",
        f"{result.unscored:,}",
        shown(result.mean),
        "-" if result.interval is None else f"{shown(result.interval.low)} to {shown(result.interval.high)}",
        "-" if cost is None else dollars(cost),
    )


def dollars(cost: float) -> str:
    """Return a cost in dollars, with more digits below one cent: ``$12.30``, ``$0.0042``."""
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"
