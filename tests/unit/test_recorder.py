import threading

import pytest

from pytest_rewardkit import Part, Reward, Verdict, turn
from pytest_rewardkit.markers import RewardMarker
from pytest_rewardkit.run.worker.recorder import Recorder, current_recorder


def test_reward_of_a_test_is_the_weighted_mean_of_what_it_recorded():
    record = Recorder()
    assert record.reward is None
    record.record(1.0, name="output", weight=3)
    record.record(Reward(0.0, reason="slow"), name="speed")
    assert record.reward == 0.75
    assert [(part.name, part.weight, part.reason) for part in record.reward.parts] == [
        ("output", 3.0, ""),
        ("speed", 1.0, "slow"),
    ]


def test_single_reward_stays_as_it_is():
    record = Recorder()
    reward = Reward.from_parts([Part("a", 1.0), Part("b", 0.0)])
    assert record.record(reward) is reward
    assert record.reward is reward


def test_single_reward_of_a_name_keeps_it():
    record = Recorder()
    record.record(0.5, name="speed", reason="12 ms")
    assert [(part.name, part.reason) for part in record.reward.parts] == [("speed", "12 ms")]


def test_rewards_of_one_name_are_told_apart():
    record = Recorder()
    for value in (1.0, 0.0, 0.5):
        record.record(value)
    assert [part.name for part in record.reward.parts] == ["reward", "reward 2", "reward 3"]
    assert record.reward == 0.5


def test_reward_of_no_weight_decides_nothing():
    record = Recorder()
    record.record(0.0, weight=0)
    assert record.reward is None


@pytest.mark.parametrize(("value", "weight"), [(1.5, 1), (float("nan"), 1), (1.0, -1)])
def test_bad_numbers_are_refused_and_not_recorded(value, weight):
    record = Recorder()
    with pytest.raises(ValueError, match="reward"):
        record.record(value, weight=weight)
    assert record.reward is None


def test_threshold_is_the_markers():
    assert Recorder().threshold is None
    assert Recorder(RewardMarker(threshold=0.5)).threshold == 0.5


def test_test_without_marker_and_reward_has_to_do_with_none():
    record = Recorder()
    record.note_wrong("assert 1 == 2")
    assert record.concluded() is None


def test_marked_test_that_recorded_nothing_is_judged_by_its_assertions():
    passed, failed = Recorder(RewardMarker()), Recorder(RewardMarker())
    failed.note_wrong("assert 1 == 2")
    assert passed.concluded() == 1.0
    assert failed.concluded() == 0.0
    assert failed.concluded().reason == "assert 1 == 2"


def test_failing_assertion_leaves_partial_credit():
    record = Recorder(RewardMarker())
    record.record(0.75)
    record.note_wrong("0.75 < 1.0")
    assert record.concluded() == 0.75


def test_cause_makes_a_test_unscored_whatever_it_recorded():
    record = Recorder()
    record.record(Reward.from_parts([Part("a", 1.0)]))
    record.note_unscored("first cause")
    record.note_unscored("second cause")
    reward = record.concluded()
    assert (reward.value, reward.verdict, reward.reason) == (None, Verdict.UNSCORED, "first cause")
    assert [part.name for part in reward.parts] == ["a"]


def test_skipped_test_forgets():
    record = Recorder(RewardMarker())
    record.record(0.5)
    record.discard()
    assert record.concluded() is None


def test_current_record_is_the_innermost_in_every_thread():
    outer, inner = Recorder(), Recorder()
    seen = []
    turn.enter(outer)
    turn.enter(inner)
    try:
        thread = threading.Thread(target=lambda: seen.append(current_recorder()))
        thread.start()
        thread.join()
    finally:
        turn.leave()
        seen.append(current_recorder())
        turn.leave()
    assert seen == [inner, outer]
