"""Assertions about rewards: when they fail, what they record, and what they say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_rewardkit import Part, Recorder, Reward, RewardkitUsageError, UnscoredError, Verdict, assert_reward
from pytest_rewardkit.assertions import explained
from pytest_rewardkit.run import recorder

HALF = Reward.from_parts([Part("first", 1.0), Part("second", 0.0, reason="expected 1, got 2")])


class TestThreshold:
    def test_one_unless_said_otherwise(self) -> None:
        assert assert_reward(1.0).value == 1.0
        with pytest.raises(AssertionError, match=r"reward 0\.5 is below the threshold 1 \(partial\)"):
            assert_reward(HALF)

    def test_given(self) -> None:
        assert assert_reward(HALF, 0.5) is HALF
        with pytest.raises(AssertionError, match=r"below the threshold 0\.6"):
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
        recorder.enter(running)
        try:
            with pytest.raises(AssertionError):
                assert_reward(HALF, name="cases", weight=3)
            assert_reward(0.0, 0.0, name="style")
            with pytest.raises(UnscoredError):
                assert_reward(Reward.unscored("lost"), name="late")
        finally:
            recorder.leave()
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


class TestExplanation:
    def test_each_part_and_all_about_those_that_did_not_pass(self) -> None:
        reward = Reward.from_parts(
            [
                Part("add(1, 2)", 1.0),
                Part(
                    "add(2, 2)",
                    0.0,
                    weight=2,
                    verdict=Verdict.WRONG_OUTPUT,
                    reason="expected 4, got 5",
                    expected="4",
                    actual="5",
                ),
                Part(
                    "greet()",
                    0.0,
                    verdict=Verdict.RUNTIME_ERROR,
                    reason="NameError: x",
                    expected="hello\nthere",
                    stderr="Traceback:\n  x\nNameError: x\n",
                ),
            ],
            reason="scored the only code block",
        )
        assert explained(reward, 0.75).splitlines() == [
            "reward 0.25 is below the threshold 0.75 (partial)",
            "  scored the only code block",
            "  1.00  add(1, 2)  (passed)",
            "  0.00  add(2, 2)  (wrong_output, weight 2)",
            "        expected 4, got 5",
            "  0.00  greet()  (runtime_error)",
            "        NameError: x",
            "        expected:",
            "          hello",
            "          there",
            "        stderr, its end:",
            "          Traceback:",
            "            x",
            "          NameError: x",
        ]

    def test_is_bounded_whatever_a_candidate_prints(self) -> None:
        part = Part("case", 0.0, reason="r" * 10**5, expected="e\n" * 10**5, actual="a" * 10**6, stderr="s\n" * 10**6)
        text = explained(Reward.from_parts([part] * 1000), 1.0)
        assert len(text) < 100_000
        assert text.count("expected:") == 10

    def test_long_texts_show_their_ends(self) -> None:
        part = Part("case", 0.0, reason="wrong", actual="".join(f"{number}\n" for number in range(100)))
        lines = [line.strip() for line in explained(Reward.from_parts([part]), 1.0).splitlines()]
        assert lines[4:] == [*map(str, range(8)), "[... 88 lines ...]", "96", "97", "98", "99"]

    def test_holds_nothing_that_a_terminal_acts_on(self) -> None:
        part = Part("\x1b[2J", 0.0, reason="\x07", expected="\x9b0m", actual="\u202e", stderr="\x1b]0;title\x07")
        assert not set(explained(Reward.from_parts([part]), 1.0)) & set("\x1b\x07\x9b\u202e")
