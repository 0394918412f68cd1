"""Intervals, compared with published and independently calculated values."""

import random

import pytest

from pytest_rewardkit.ledger import statistics
from pytest_rewardkit.ledger.statistics import least_trials, mean_interval, weighted_mean, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(successes, trials, low, high):
    assert wilson(successes, trials, 0.95) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(trials - successes, trials, 0.95)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_wilson_of_no_trials_says_nothing():
    assert wilson(0, 0, 0.95) == (0.0, 1.0)


def test_wilson_ends_are_exact():
    assert wilson(0, 7, 0.99).low == 0.0
    assert wilson(7, 7, 0.99).high == 1.0


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("rate", [0.01, 0.5, 0.8, 0.99])
def test_least_trials_is_where_wilson_first_shows_the_rate(rate, confidence):
    least = least_trials(rate, confidence)
    assert wilson(least, least, confidence).low >= rate - 1e-12
    if least > 1:
        assert wilson(least - 1, least - 1, confidence).low < rate


def test_weighted_mean():
    assert weighted_mean([(1.0, 3.0), (0.0, 1.0)]) == 0.75
    assert weighted_mean([(1.0, 0.0)]) is None
    assert weighted_mean([]) is None


def pairs(count, *, seed=1, weights=False):
    source = random.Random(seed)
    return [(source.random(), source.uniform(0.5, 2) if weights else 1.0) for _ in range(count)]


@pytest.mark.parametrize("weights", [False, True])
def test_the_bootstrap_and_the_normal_interval_agree_where_they_meet(weights, monkeypatch):
    many = pairs(statistics.BOOTSTRAP_LIMIT, weights=weights)
    by_resampling = mean_interval(many, 0.95)
    monkeypatch.setattr(statistics, "BOOTSTRAP_LIMIT", 0)
    assert mean_interval(many, 0.95) == pytest.approx(by_resampling, abs=0.005)


def test_the_interval_is_the_same_each_time():
    assert mean_interval(pairs(50), 0.9) == mean_interval(pairs(50), 0.9)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    # Uniform rewards have the mean 0.5; there are 200 samples of 40 each, with a binomial tolerance.
    held = sum(low <= 0.5 <= high for low, high in (mean_interval(pairs(40, seed=seed), 0.9) for seed in range(200)))
    assert 165 <= held <= 195


def test_more_confidence_is_wider():
    narrow, wide = mean_interval(pairs(40), 0.8), mean_interval(pairs(40), 0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_equal_values_have_no_width():
    assert mean_interval([(0.5, 1.0)] * 10, 0.95) == (0.5, 0.5)


def test_weights_of_0_are_drawn_and_decide_nothing():
    low, high = mean_interval([(1.0, 1.0), (0.0, 0.0)], 0.95)
    assert (low, high) == (1.0, 1.0)
    with pytest.raises(ValueError, match="a value with a weight over 0"):
        mean_interval([(1.0, 0.0)], 0.95)
