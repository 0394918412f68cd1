"""How much a run may have of sandboxes: beyond it none is asked for any more."""

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
    """What was asked for.

    Parameters:
        cost: in dollars; None for no bound.
        seconds: that all sandboxes live, together; None for no bound.
        prices: what sandboxes cost; None where that is not known.
    """

    cost: float | None = None
    seconds: float | None = None
    prices: Prices | None = None

    def __bool__(self) -> bool:
        return self.cost is not None or self.seconds is not None

    def told(self, usage: SandboxUsage) -> dict[str, tuple[bool, str]]:
        """Of each bound, by its name, whether it is kept to, and how much of it is used up in words."""
        told = {}
        if self.seconds is not None:
            used = usage.seconds()
            told[SECONDS] = used < self.seconds, f"{used:.1f} of {self.seconds:g} sandbox-seconds are used up"
        if self.cost is not None and self.prices is not None:
            cost = usage.cost(self.prices)
            told[COST] = cost < self.cost, f"{cost:.4f} of {self.cost:g} dollars are used up"
        return told

    def require_room(self, usage: SandboxUsage) -> None:
        """Raise SandboxUnavailable if there is to be no sandbox more."""
        for name, (kept, words) in self.told(usage).items():
            if not kept:
                raise SandboxUnavailable(f"no further sandbox is created: {words} (--rewardkit-{name})")
