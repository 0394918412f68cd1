"""What was asked of models, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.formatting import counted, duration
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.model_use import ModelUse


def asked(use: ModelUse) -> str:
    """Return in one line what asking took: ``12 answers of models, 8 on record, 1,234 tokens in, 567 out, $0.12``."""
    found = [counted(use.answers, "answer") + " of models"]
    if use.replayed:
        found.append(f"{use.replayed:,} on record")
    return ", ".join([*found, *took(use)])


def took(use: ModelUse) -> list[str]:
    """Return what is known of tokens, cost and time."""
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


def named(use: ModelUse) -> str:
    """Return which models they were."""
    return one_line(use.model, 200)


def dollars(cost: float) -> str:
    """Return a cost, with cents, or with what is left of one: ``$12.30``, ``$0.0042``."""
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"
