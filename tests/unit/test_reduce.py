"""Reduces attempts' rewards to one number: compared with the definitions by counting, and at the edges."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.reduce import parse_reducer

rewards = st.lists(st.floats(0, 1), min_size=1, max_size=8)
outcomes = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mean", 0.5), ("max", 1.0), ("min", 0.0), ("median", 0.5), ("at_least_1", 1.0), ("at_least_2", 0.0)],
)
def test_simple_reducers(name: str, expected: float) -> None:
    assert parse_reducer(name)([0.0, 0.5, 1.0]) == expected


@given(outcomes, st.integers(1, 8))
def test_pass_at_k_is_the_share_of_k_subsets_with_a_success(attempts: list[float], k: int) -> None:
    estimate = parse_reducer(f"pass_at_{k}")(attempts)
    if k > len(attempts):
        assert estimate is None
    else:
        assert estimate == pytest.approx(fmean(max(subset) for subset in combinations(attempts, k)))


@given(outcomes, st.integers(1, 8))
def test_pass_all_k_is_the_share_of_k_subsets_of_successes_only(attempts: list[float], k: int) -> None:
    estimate = parse_reducer(f"pass_all_{k}")(attempts)
    if k > len(attempts):
        assert estimate is None
    else:
        assert estimate == pytest.approx(fmean(min(subset) for subset in combinations(attempts, k)))


@given(rewards, st.sampled_from(["mean", "max", "min", "median", "pass_at_2", "pass_all_2", "at_least_2"]))
def test_a_reduced_reward_is_a_reward_whatever_the_order(attempts: list[float], name: str) -> None:
    reducer = parse_reducer(name)
    reduced = reducer(attempts, threshold=0.5)
    assert reduced is None or 0 <= reduced <= 1
    assert reducer(attempts[::-1], threshold=0.5) == pytest.approx(reduced)


def test_the_threshold_says_what_a_success_is() -> None:
    attempts = [0.5, 0.6, 0.1 + 0.2]
    assert parse_reducer("pass_at_1")(attempts, threshold=0.3) == 1.0
    assert parse_reducer("pass_at_1")(attempts, threshold=0.6) == pytest.approx(1 / 3)


def test_unscored_attempts_are_left_out_not_failed() -> None:
    assert parse_reducer("mean")([None, 1.0]) == 1.0
    assert parse_reducer("pass_at_2")([None, 1.0]) is None
    assert parse_reducer("mean")([None, None]) is None


def test_thousands_of_attempts_do_not_overflow() -> None:
    attempts = [1.0] * 10 + [0.0] * 9990
    assert parse_reducer("pass_at_1")(attempts) == pytest.approx(0.001)
    assert parse_reducer("pass_at_5000")(attempts) == pytest.approx(1 - 0.5**10, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "label"),
    [("pass_at_5", "pass@5"), ("pass_all_3", "pass^3"), ("mean", "mean"), ("at_least_2", "at_least_2")],
)
def test_labels_are_the_fields(name: str, label: str) -> None:
    assert parse_reducer(name).label == label


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("pass_at_k", "pass_at_3"),
        ("pass_all_", "known are|did you mean"),
        ("pas_at_3", "did you mean 'pass_at_3'"),
        ("pass_at_0", "pass_at_3"),
        ("average", "known are: at_least_3, max, mean"),
    ],
)
def test_an_unknown_reducer_names_the_nearest(name: str, advice: str) -> None:
    with pytest.raises(RewardkitUsageError, match=advice):
        parse_reducer(name)
