import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit import Part, Reward, UnscoredError, Verdict, weighted
from pytest_rewardkit.reward import NAME_LIMIT, REASON_LIMIT, TEXT_LIMIT

values = st.floats(0, 1)
weights = st.floats(0, 1e308)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, -math.inf, "0.5", [0.5], object()])
def test_value_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=r"value must be a number in \[0, 1\], or None for unscored"):
        Reward(value)
    with pytest.raises(ValueError, match="part 'speed': value must be"):
        Part("speed", value)


@pytest.mark.parametrize("weight", [-1, math.nan, math.inf, None, "1"])
def test_weight_out_of_range_is_refused(weight):
    with pytest.raises(ValueError, match="part 'speed': weight must be a finite number, 0 or more"):
        Part("speed", 1, weight=weight)


@pytest.mark.parametrize("duration", [-1, math.nan, math.inf])
def test_duration_out_of_range_is_refused(duration):
    with pytest.raises(ValueError, match="part 'speed': duration must be"):
        Part("speed", 1, duration=duration)


@pytest.mark.parametrize("value", [True, 1, 1.0, Fraction(1), Reward(1.0)])
def test_numbers_of_any_kind_become_floats(value):
    assert type(Reward(value).value) is float
    assert Reward(value).value == 1.0


def test_negative_zero_is_zero():
    assert str(Reward(-0.0)) == "0.0"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (1.0, Verdict.PASSED),
        (0.5, Verdict.PARTIAL),
        (1e-300, Verdict.PARTIAL),
        (0.0, Verdict.WRONG_OUTPUT),
        (None, Verdict.UNSCORED),
    ],
)
def test_verdict_is_derived_from_the_value(value, verdict):
    assert Reward(value).verdict is verdict
    assert Part("x", value).verdict is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(1.0, "timeout"), (0.5, "passed"), (0.0, "passed"), (0.0, "partial"), (0.0, "unscored"), (None, "timeout")],
)
def test_verdict_that_contradicts_the_value_is_refused(value, verdict):
    with pytest.raises(ValueError, match="contradicts"):
        Reward(value, verdict=Verdict(verdict))


def test_scorer_says_how_a_reward_was_lost():
    assert Reward(0.0, verdict=Verdict.TIMEOUT).verdict is Verdict.TIMEOUT
    assert Reward(0.5, verdict=Verdict.MEMORY).verdict is Verdict.MEMORY


def test_texts_are_bounded():
    part = Part("n" * 10**6, 0.0, reason="r" * 10**6, expected="e" * 10**6, actual="a" * 10**6, stderr="s" * 10**6)
    kept = [(part.name, NAME_LIMIT), (part.reason, REASON_LIMIT)]
    kept += [(text, TEXT_LIMIT) for text in (part.expected, part.actual, part.stderr)]
    kept += [(Reward(0.0, reason="r" * 10**6).reason, REASON_LIMIT)]
    assert all(0.9 * limit < len(text) <= limit for text, limit in kept)


def test_reward_behaves_as_its_number():
    reward = Reward(0.75)
    assert reward == 0.75 == reward
    assert reward == pytest.approx(0.75)
    assert pytest.approx(0.75) == reward
    assert 0.5 < reward <= 0.75 < Reward(1.0)
    assert (reward + 1, 1 - reward, reward * 2, 3 / reward, -reward, abs(reward)) == (1.75, 0.25, 1.5, 4.0, -0.75, 0.75)
    assert sum([reward, reward]) == 1.5
    assert (f"{reward:.1f}", str(reward), round(reward, 1), float(reward)) == ("0.8", "0.75", 0.8, 0.75)
    assert {reward, Reward(0.75)} == {reward}
    assert not Reward(0.0)


def test_unscored_is_no_number():
    reward = Reward.unscored("the server went away")
    for use in (float, bool, abs, lambda r: r + 1, lambda r: r < 1, lambda r: 1 - r, lambda r: r.reaches(0)):
        with pytest.raises(UnscoredError, match="the server went away"):
            use(reward)
    assert reward != 0.0
    assert (str(reward), f"{reward:.2f}", reward.verdict) == ("unscored", "unscored", "unscored")


def test_threshold_does_not_hang_on_rounding():
    tenth = [Part(f"part {n}", 1.0 if n < 7 else 0.0, weight=0.1) for n in range(10)]
    assert Reward.from_parts(tenth).reaches(0.7)
    assert not Reward(0.6999).reaches(0.7)


def test_parts_are_weighted():
    reward = Reward.from_parts([Part("a", 1.0, weight=3), Part("b", 0.0), Part("c", None, weight=0)])
    assert (reward.value, reward.verdict, len(reward.parts)) == (0.75, Verdict.PARTIAL, 3)


def test_part_without_a_value_makes_the_whole_unscored():
    reward = Reward.from_parts([Part("a", 1.0), Part("b", None, reason="sandbox gone")])
    assert (reward.value, reward.reason) == (None, "sandbox gone")


def test_first_failing_part_names_the_verdict_of_a_reward_of_zero():
    parts = [Part("a", 0.0, verdict=Verdict.TIMEOUT), Part("b", 0.0)]
    assert Reward.from_parts(parts).verdict is Verdict.TIMEOUT


@pytest.mark.parametrize("parts", [[], [Part("a", 1.0, weight=0)]])
def test_reward_needs_a_part_that_counts(parts):
    with pytest.raises(ValueError, match="at least one part with a weight over 0"):
        Reward.from_parts(parts)


@given(st.lists(st.tuples(values, weights), min_size=1).filter(lambda parts: any(weight > 0 for _, weight in parts)))
def test_mean_of_parts_is_in_range_and_its_ends_are_exact(parts):
    reward = Reward.from_parts([Part("p", value, weight=weight) for value, weight in parts])
    counting = [value for value, weight in parts if weight > 0]
    assert 0.0 <= reward.value <= 1.0
    assert (reward.value == 1.0) == all(value == 1.0 for value in counting)
    assert (reward.verdict is Verdict.PASSED) == (reward.value == 1.0)


def test_weighted_counts_rewards_by_their_weights_and_keeps_their_parts():
    tests = Reward.from_parts([Part("adds", 1.0), Part("subtracts", 0.0, weight=3, expected="1", actual="2")])
    reward = weighted({"tests": (tests, 3)}, style=Reward(1.0), speed=0.0)
    assert reward.value == pytest.approx((0.25 * 3 + 1 + 0) / 5)
    assert [(part.name, part.weight) for part in reward.parts] == [
        ("tests/adds", 0.75),
        ("tests/subtracts", 2.25),
        ("style", 1.0),
        ("speed", 1.0),
    ]
    assert reward.parts[1].actual == "2"


def test_weighted_is_unscored_when_one_reward_is():
    reward = weighted(tests=Reward(1.0), style=Reward.unscored("no sandbox"))
    assert (reward.value, reward.reason) == (None, "no sandbox")


def test_weighted_refuses_a_negative_weight():
    with pytest.raises(ValueError, match="part 'tests': weight must be"):
        weighted(tests=(Reward(1.0), -1))


def test_repr_fits_into_an_assertion():
    parts = [Part("a", 1.0, expected="x" * 1000), Part("b", 0.5)]
    assert repr(Reward.from_parts(parts)) == "<Reward 0.75 partial, 2 parts>"
    assert repr(Reward.unscored("gone")) == "<Reward unscored>"
