"""Asserts in a user's tests, run by pytest inside pytest, alone and under pytest-xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_threshold_of_the_assert_or_else_of_the_marker(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from pytest_rewardkit import assert_reward

        def test_alone():
            assert_reward(0.5)

        def test_own_threshold():
            assert_reward(0.5, 0.5)

        @pytest.mark.reward(threshold=0.7)
        def test_marker_decides_over_the_whole():
            assert_reward(0.5, name="first")
            assert_reward(1.0, name="second")

        @pytest.mark.reward(threshold=0.8)
        def test_marker_decides_against_it():
            assert_reward(0.5, name="first")
            assert_reward(1.0, name="second")
        """
    )
    result = run("-rA")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines_random(
        [
            "*AssertionError: reward 0.50 < threshold 1 (partial)",
            "PASSED 0.50 *::test_own_threshold",
            "PASSED 0.75 *::test_marker_decides_over_the_whole",
            "FAILED 0.75 *::test_marker_decides_against_it*",
            "FAILED 0.50 *::test_alone*",
        ]
    )


def test_cases_in_a_sandbox_fail_with_an_explanation(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        """
        from pytest_rewardkit import Case, assert_cases, assert_output

        def test_cases(sandbox):
            assert_cases(sandbox, "def add(a, b): return abs(a) + b", [
                Case(call="add", args=[1, 2], expected=3),
                Case(call="add", args=[-1, 2], expected=1, weight=3),
            ])

        def test_output(sandbox):
            assert_output(sandbox, "print('hello wurld')", "hello world", similarity="edit", threshold=0.5)
        """
    )
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: reward 0.25 < threshold 1 (partial)",
            "E*1.00  passed         add(1, 2)",
            "E*0.00  wrong_output   add(-1, 2)  weight 3",
            "E*  add(-1, 2):",
            "E*expected 1, got 3",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_rewardkit/assertions.py*")


def test_a_lost_sandbox_is_unscored_and_not_failed_by_assertion(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        """
        from pytest_rewardkit import assert_output

        def test_lost(sandbox):
            sandbox.kill()
            assert_output(sandbox, "print(5)", "5")
        """
    )
    result = run()
    result.stdout.fnmatch_lines(["*UnscoredError: *"])
    result.stdout.fnmatch_lines(["*1 unscored*"])
