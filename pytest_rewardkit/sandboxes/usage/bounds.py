"""Bounds on a run's use of sandboxes: beyond them it requests no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import SandboxUnavailable

if TYPE_CHECKING:
    from pytest_rewardkit.sandboxes.usage.figures import Prices, SandboxUsage

COST = "max-cost"
SECONDS = "max-sandbox-seconds"


@dataclass(frozen=True, slots=True)
class UsageBounds:
    """The bounds that the user asked for.

    Parameters:
        cost: in dollars; None for no bound.
        seconds: the lives of all sandboxes together; None for no bound.
        prices: what sandboxes cost; None if that is not known.
    """

    cost: float | None = None
    seconds: float | None = None
    prices: Prices | None = None

    def __bool__(self) -> bool:
        return self.cost is not None or self.seconds is not None

    def told(self, usage: SandboxUsage) -> dict[str, tuple[bool, str]]:
        """Return for each bound, by name, whether the run keeps it, and in words how much of it is used."""
        told = {}
        if self.seconds is not None:
            used = usage.seconds()
            told[SECONDS] = used < self.seconds, f"{used:.1f} of {self.seconds:g} sandbox-seconds are used up"
        if self.cost is not None and self.prices is not None:
            cost = usage.cost(self.prices)
            told[COST] = cost < self.cost, f"{cost:.4f} of {self.cost:g} dollars are used up"
        return told

    def require_room(self, usage: SandboxUsage) -> None:
        """Raise SandboxUnavailable if the run may have no further sandbox."""
        for name, (kept, words) in self.told(usage).items():
            if not kept:
                raise SandboxUnavailable(f"no further sandbox is created: {words} (--rewardkit-{name})")
