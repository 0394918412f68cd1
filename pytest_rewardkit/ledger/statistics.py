"""What a number of tests shows about a mean or a rate, as intervals. Pure, and the same in every run.

- Wilson's score interval for a share of successes: E. B. Wilson (1927), "Probable Inference, the Law of Succession, and
  Statistical Inference", JASA 22(158), 209-212.
- The percentile bootstrap for a mean: B. Efron and R. J. Tibshirani (1993), "An Introduction to the Bootstrap", chapter
  13. For many values, the normal interval that it converges to replaces it, with the variance of a weighted mean by
  linearisation (W. G. Cochran (1977), "Sampling Techniques", section 6.4).

Values that are not independent, such as several tests about one row, are one value here: their weighted mean, with all
their weight. Resampling those is the cluster bootstrap (A. C. Cameron, J. B. Gelbach and D. L. Miller (2008),
"Bootstrap-Based Improvements for Inference with Clustered Errors", REStat 90(3), 414-427), and linearising over them
gives the clustered standard error of paired differences (E. Miller (2024), "Adding Error Bars to Evals",
arXiv:2411.00640).
"""

from __future__ import annotations

import math
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES: Final = 2000
BOOTSTRAP_LIMIT: Final = 400
"""The number of values from which on the normal interval replaces the bootstrap."""

# Any fixed number works: the same values give the same interval in every run, on every machine.
_SEED: Final = 20_240_229


class Interval(NamedTuple):
    """The ends of a confidence interval."""

    low: float
    high: float


def weighted_mean(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return sum(weight * value) / sum(weight) over pairs of value and weight; None if nothing has a weight."""
    # Exact sums make the result independent of the order in which tests end.
    total = math.fsum(weight for _, weight in pairs)
    if not total:
        return None
    return math.fsum(value * weight for value, weight in pairs) / total


def wilson(successes: float, trials: float, confidence: float) -> Interval:
    """Return Wilson's score interval for the rate of success, at a two-sided `confidence` in (0, 1).

    Both counts may be fractions, from tests with weights or from partial successes.

    >>> [round(end, 3) for end in wilson(8, 10, 0.95)]
    [0.49, 0.943]
    """
    if not trials:
        return Interval(0.0, 1.0)
    z = _z(confidence)
    rate = successes / trials
    scale = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    # The ends are exact at 0 and 1, whatever the rounding.
    return Interval(
        max(0.0, centre - half) if successes else 0.0, min(1.0, centre + half) if successes < trials else 1.0
    )


def least_trials(rate: float, confidence: float) -> int:
    """Return the least number of trials that can show that a rate in [0, 1) is reached, even if all succeed.

    At that number n, the low end of Wilson's interval for n successes in n trials, n / (n + z²), reaches `rate`.

    >>> least_trials(0.8, 0.95)
    16
    """
    z = _z(confidence)
    return max(1, math.ceil(rate * z * z / (1 - rate) - 1e-9))


def mean_interval(pairs: Sequence[tuple[float, float]], confidence: float) -> Interval:
    """Return the interval of the weighted mean of `pairs` of value and weight, at a two-sided `confidence` in (0, 1).

    The values may be rewards, or differences of paired rewards. Raises ValueError if no pair has a weight.
    """
    mean = weighted_mean(pairs)
    if mean is None:
        raise ValueError("a mean needs a value with a weight over 0")
    if len(pairs) > BOOTSTRAP_LIMIT:
        return _normal(pairs, mean, confidence)
    means = sorted(_resampled(pairs))
    tail = (1 - confidence) / 2
    last = len(means) - 1
    return Interval(means[math.floor(tail * last)], means[math.ceil((1 - tail) * last)])


def _resampled(pairs: Sequence[tuple[float, float]]) -> list[float]:
    random = Random(_SEED)  # noqa: S311 - nothing secret
    count = len(pairs)
    if len({weight for _, weight in pairs}) == 1:
        values = [value for value, _ in pairs]
        return [math.fsum(random.choices(values, k=count)) / count for _ in range(RESAMPLES)]
    # A resample in which all weights are 0 has no mean.
    drawn = (weighted_mean(random.choices(pairs, k=count)) for _ in range(RESAMPLES))
    return [mean for mean in drawn if mean is not None]


def _normal(pairs: Sequence[tuple[float, float]], mean: float, confidence: float) -> Interval:
    total = math.fsum(weight for _, weight in pairs)
    spread = math.sqrt(math.fsum((weight * (value - mean)) ** 2 for value, weight in pairs)) / total
    half = _z(confidence) * spread
    return Interval(mean - half, mean + half)


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
