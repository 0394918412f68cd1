"""How sure a mean reward is. Pure."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE: Final = 0.95


def mean_interval(weighted: Sequence[tuple[float, float]], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the ends of the interval around a weighted mean of rewards: Wilson's score interval.

    For rewards of 0 and 1 it is the interval of Wilson 1927, "Probable inference, the law of succession, and
    statistical inference", JASA 22(158):209. Rewards between 0 and 1 vary less than such a proportion with the same
    mean, so that the interval is then wider than it had to be, never too narrow. It stays in [0, 1], and works from
    one reward on.

    Parameters
    ----------
    weighted: rewards in [0, 1] with their weights. With unequal weights they count as (sum w)^2 / sum w^2 rewards
        (Kish 1965, "Survey Sampling", section 11.7).
    confidence: the share of such intervals that hold the true mean, between 0 and 1.

    Raises ValueError when nothing has a weight.

    >>> [round(end, 3) for end in mean_interval([(1.0, 1.0)] * 8 + [(0.0, 1.0)] * 2)]
    [0.49, 0.943]
    """
    # Divided by the largest, so that neither sum overflows.
    largest = max((weight for _, weight in weighted), default=0.0)
    if not largest:
        raise ValueError("a mean needs a reward with a weight over 0")
    weights = [weight / largest for _, weight in weighted]
    total = math.fsum(weights)
    count = total**2 / math.fsum(weight**2 for weight in weights)
    mean = math.fsum(value * weight for (value, _), weight in zip(weighted, weights, strict=True)) / total
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (mean + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(max(mean * (1 - mean), 0.0) / count + z**2 / (4 * count**2))
    # The interval holds the mean and stays in range, but for rounding.
    return max(min(middle - half, mean), 0.0), min(max(middle + half, mean), 1.0)
