"""How many sandboxes there were and for how long, counted from the lines of a journal. Pure."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of sandboxes, in dollars per hour.

    Parameters:
        processor: for each virtual processor.
        gib: for each GiB of memory.
    """

    processor: float
    gib: float


E2B_PRICES: Final = Prices(processor=0.0504, gib=0.0162)
E2B_PRICES_OF: Final = "August 2026"
"""The date of these prices in E2B's documentation."""

USUAL_SIZE: Final = (2.0, 0.5)
"""Virtual processors and GiB of memory of a sandbox of unknown size: E2B's default."""


@dataclass(slots=True)
class SandboxLife:
    """One sandbox, from its creation to its end."""

    begun: float
    ends: float
    processors: float
    gib: float
    gone: float | None = None

    def seconds(self, now: float) -> float:
        end = self.ends if self.gone is None else self.gone
        return max(0.0, min(end, self.ends, now) - self.begun)


@dataclass(slots=True)
class SandboxUsage:
    """A run's use of sandboxes."""

    lives: dict[str, SandboxLife] = field(default_factory=dict)
    open_marks: dict[str, float] = field(default_factory=dict)
    """Requests without an answer, which may have created a sandbox, with their times."""
    reused: int = 0
    again: int = 0
    repeated: int = 0

    def take(self, event: Mapping[str, Any]) -> None:
        """Count one line of a journal."""
        match event:
            case {"asked": str(mark), "at": float(at)}:
                self.open_marks[mark] = at
            case {"created": str(sandbox_id), "mark": str(mark), "ends": ends, "at": float(at)}:
                self.open_marks.pop(mark, None)
                size = float(event.get("processors", 0)), float(event.get("gib", 0))
                self.lives[sandbox_id] = SandboxLife(at, float(ends), *size)
            case {"sized": str(sandbox_id), "processors": float(processors), "gib": float(gib)}:
                if (life := self.lives.get(sandbox_id)) is not None:
                    life.processors, life.gib = processors, gib
            case {"prolonged": str(sandbox_id), "ends": ends}:
                if (life := self.lives.get(sandbox_id)) is not None:
                    life.ends = max(life.ends, float(ends))
            case {"refused": str(mark)}:
                self.open_marks.pop(mark, None)
            case {"gone": str(sandbox_id), "at": float(at)}:
                if (life := self.lives.get(sandbox_id)) is not None and life.gone is None:
                    life.gone = at
            case _:
                self.reused += "reused" in event
                self.again += "again" in event
                self.repeated += "repeated" in event

    @property
    def created(self) -> int:
        return len(self.lives)

    @property
    def killed(self) -> int:
        return sum(life.gone is not None for life in self.lives.values())

    def left(self, now: float | None = None) -> list[str]:
        """Return the sandboxes that may still live."""
        at = time.time() if now is None else now
        return [sandbox_id for sandbox_id, life in self.lives.items() if life.gone is None and life.ends > at]

    def seconds(self, now: float | None = None) -> float:
        """Return the lives of all sandboxes together, in seconds."""
        at = time.time() if now is None else now
        return math.fsum(life.seconds(at) for life in self.lives.values())

    def cost(self, prices: Prices, now: float | None = None) -> float:
        """Return their cost, in dollars."""
        at = time.time() if now is None else now
        return math.fsum(
            life.seconds(at)
            / HOUR
            * (prices.processor * (life.processors or USUAL_SIZE[0]) + prices.gib * (life.gib or USUAL_SIZE[1]))
            for life in self.lives.values()
        )


def sizes(lives: Iterable[SandboxLife]) -> list[tuple[float, float]]:
    """Return the distinct sizes of sandboxes: virtual processors, GiB of memory."""
    return sorted({(life.processors or USUAL_SIZE[0], life.gib or USUAL_SIZE[1]) for life in lives})
