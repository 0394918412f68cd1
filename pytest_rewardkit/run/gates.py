"""The decision over a whole run. Tests that are missing, crashed or unscored can never make it pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.reports.figures import counted, shown, shown_under

if TYPE_CHECKING:
    from pytest_rewardkit.run.ledger import Figures

# A mean of floats may miss its exact value by a few units in the last place.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a gate let the run pass, and why in one line."""

    passed: bool
    reason: str


def decide(figures: Figures, fail_under: float) -> Decision:
    """Decide whether the strict mean of a run reaches `fail_under`, and nothing is missing."""
    if figures.missing:
        missing = counted(len(figures.missing), "collected test")
        return Decision(False, f"{missing} never ran to an end, so the mean is not known")
    if figures.strict_mean is None:
        return Decision(False, "no test earned a reward, so there is no mean")
    counting = f", {counted(figures.unscored, 'unscored test')} counting as 0" if figures.unscored else ""
    if figures.strict_mean < fail_under - _TOLERANCE:
        return Decision(False, f"strict mean {shown_under(figures.strict_mean, fail_under)} < {fail_under:g}{counting}")
    return Decision(True, f"strict mean {shown(figures.strict_mean)} >= {fail_under:g}{counting}")
