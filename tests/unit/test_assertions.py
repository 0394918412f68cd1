"""Assertions about rewards: when they fail, what they record, and their messages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_rewardkit import Part, Recorder, Reward, RewardkitUsageError, UnscoredError, assert_reward, turn

HALF = Reward.from_parts([Part("first", 1.0), Part("second", 0.0, reason="expected 1, got 2")])


class TestThreshold:
    def test_one_unless_said_otherwise(self) -> None:
        assert assert_reward(1.0).value == 1.0
        with pytest.raises(AssertionError, match=r"reward 0\.50 < threshold 1 \(partial\)"):
            assert_reward(HALF)

    def test_given(self) -> None:
        assert assert_reward(HALF, 0.5) is HALF
        with pytest.raises(AssertionError, match=r"< threshold 0\.6"):
            assert_reward(HALF, threshold=0.6)

    def test_a_mean_that_rounding_moved_reaches_it(self) -> None:
        parts = [Part(f"part {number}", 1.0 if number < 7 else 0.0, weight=0.1) for number in range(10)]
        assert_reward(Reward.from_parts(parts), 0.7)

    @pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "0.5"])
    def test_is_a_number_in_range(self, threshold: float) -> None:
        with pytest.raises(RewardkitUsageError, match="threshold must be a number in"):
            assert_reward(1.0, threshold)

    def test_unscored_is_no_failed_assertion(self) -> None:
        with pytest.raises(UnscoredError, match="the sandbox vanished"):
            assert_reward(Reward.unscored("the sandbox vanished"), 0.0)


class TestRecord:
    def test_recorded_before_it_fails(self) -> None:
        running = Recorder()
        turn.enter(running)
        try:
            with pytest.raises(AssertionError):
                assert_reward(HALF, name="cases", weight=3)
            assert_reward(0.0, 0.0, name="style")
            with pytest.raises(UnscoredError):
                assert_reward(Reward.unscored("lost"), name="late")
        finally:
            turn.leave()
        assert running.reward is not None
        assert [(part.name, part.value) for part in running.reward.parts] == [
            ("cases/first", 1.0),
            ("cases/second", 0.0),
            ("style", 0.0),
            ("late", None),
        ]

    def test_works_where_there_is_no_pytest(self) -> None:
        code = "import sys, pytest_rewardkit as r; r.assert_reward(0.5, 0.4); assert 'pytest' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)
