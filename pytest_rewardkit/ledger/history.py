"""The rewards of earlier runs, one after another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class PastRun:
    """An earlier run.

    Parameters:
        name: the file that holds it.
        started: when it began.
        mean: its mean over scored tests; None if it is not comparable, because not all tests were to run, or did.
        rewards: of each test by its node id; None for an unscored one.
    """

    name: str
    started: datetime
    mean: float | None
    rewards: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class History:
    """Earlier runs, the oldest first.

    Parameters:
        left_out: files that are not included, each with the reason.
    """

    runs: Sequence[PastRun] = ()
    left_out: Sequence[str] = ()

    @property
    def means(self) -> list[float]:
        """The comparable means, the oldest first."""
        return [run.mean for run in self.runs if run.mean is not None]

    def rewards_of(self, node_id: str) -> list[float | None]:
        """Return the reward of a test in each run; None if it was unscored, or did not run."""
        return [run.rewards.get(node_id) for run in self.runs]
