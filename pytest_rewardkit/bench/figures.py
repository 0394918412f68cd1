"""The results of a round of sandboxes, and a table of them. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES: Final = {"p95": 0.95, "p99": 0.99}

CAUSE_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Round:
    """Sandboxes that were created in one way.

    Parameters:
        name: the way.
        outcomes: for each sandbox, the seconds until its first command answered, or why it did not.
    """

    name: str
    outcomes: tuple[float | Exception, ...]

    @property
    def seconds(self) -> list[float]:
        """The seconds of those that answered, fastest first."""
        return sorted(outcome for outcome in self.outcomes if not isinstance(outcome, Exception))

    @property
    def causes(self) -> Counter[str]:
        """Why the others did not answer, with the count of each cause."""
        failures = [outcome for outcome in self.outcomes if isinstance(outcome, Exception)]
        return Counter(one_line(f"{type(error).__name__}: {error}", CAUSE_LENGTH) for error in failures)


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The least value that at least a `share` of the ordered values do not exceed; share in (0, 1]."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


HEADING: Final = f"{'':<20}{'answered':>12}" + "".join(f"{column:>9}" for column in ("median", *SHARES, "min", "max"))


def lines(done: Round) -> list[str]:
    """Lines under `HEADING`: a round's figures in milliseconds, and the causes of missing answers."""
    seconds = done.seconds
    figures: list[float] = []
    if seconds:
        figures = [statistics.median(seconds), *(nearest_rank(seconds, share) for share in SHARES.values())]
        figures += [seconds[0], seconds[-1]]
    answered = f"{len(seconds)} of {len(done.outcomes)}"
    row = f"{done.name:<20}{answered:>12}" + "".join(f"{figure * 1000:>9.0f}" for figure in figures)
    return [row, *(f"  {count} of them: {cause}" for cause, count in done.causes.most_common())]
