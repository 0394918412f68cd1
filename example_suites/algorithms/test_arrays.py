"""Lists: each task asks for one function, and each case calls it with values."""

import pytest

from pytest_rewardkit import Case, assert_cases


@pytest.mark.deserves(1.0, "passed")
def test_two_sum(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="two_sum", args=[[2, 7, 11, 15], 9], expected=[0, 1]),
            Case(call="two_sum", args=[[3, 2, 4], 6], expected=[1, 2]),
            Case(call="two_sum", args=[[3, 3], 6], expected=[0, 1]),
            Case(call="two_sum", args=[[-1, -2, -3, -4, -5], -8], expected=[2, 4]),
        ],
    )


@pytest.mark.deserves(3 / 5, "partial")
@pytest.mark.reward(threshold=0.5)
def test_merge_intervals(sandbox, candidate):
    """The candidate forgets intervals that touch and intervals inside another one."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="merge", args=[[[1, 3], [2, 6], [8, 10]]], expected=[[1, 6], [8, 10]], name="overlapping"),
            Case(call="merge", args=[[[1, 4], [4, 5]]], expected=[[1, 5]], name="touching"),
            Case(call="merge", args=[[[1, 10], [2, 3]]], expected=[[1, 10]], name="contained"),
            Case(call="merge", args=[[]], expected=[], name="empty"),
            Case(call="merge", args=[[[5, 6], [1, 2]]], expected=[[1, 2], [5, 6]], name="unsorted"),
        ],
    )


@pytest.mark.deserves(3 / 4, "partial")
@pytest.mark.reward(threshold=0.7)
def test_rotate(sandbox, candidate):
    """The candidate does not wrap around: a shift longer than the list changes nothing."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="rotate", args=[[1, 2, 3, 4, 5], 2], expected=[4, 5, 1, 2, 3], name="short"),
            Case(call="rotate", args=[[1, 2, 3, 4, 5], 0], expected=[1, 2, 3, 4, 5], name="none"),
            Case(call="rotate", args=[[1, 2, 3, 4, 5], 5], expected=[1, 2, 3, 4, 5], name="full turn"),
            Case(call="rotate", args=[[1, 2, 3, 4, 5], 7], expected=[4, 5, 1, 2, 3], name="beyond a turn"),
        ],
    )


@pytest.mark.deserves(3 / 5, "partial", part="timeout")
@pytest.mark.reward(threshold=0.5)
def test_binary_search(sandbox, candidate):
    """The candidate never leaves its loop if the value is missing: that case costs only itself."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="binary_search", args=[[1, 3, 5, 7, 9], 5], expected=2, name="middle"),
            Case(call="binary_search", args=[[1, 3, 5, 7, 9], 1], expected=0, name="first"),
            Case(call="binary_search", args=[[1, 3, 5, 7, 9], 9], expected=4, name="last"),
            Case(call="binary_search", args=[[1, 3, 5, 7, 9], 8], expected=-1, name="missing"),
            Case(call="binary_search", args=[[], 8], expected=-1, name="empty"),
        ],
        time_limit=1,
    )


@pytest.mark.deserves(3 / 5, "partial")
@pytest.mark.reward(threshold=0.5)
def test_max_subarray(sandbox, candidate):
    """The candidate starts from zero, so a list of negative numbers goes wrong; that case weighs double."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="max_subarray", args=[[-2, 1, -3, 4, -1, 2, 1, -5, 4]], expected=6, name="mixed", weight=2),
            Case(call="max_subarray", args=[[1, 2, 3]], expected=6, name="positive"),
            Case(call="max_subarray", args=[[-8, -3, -6]], expected=-3, name="negative", weight=2),
        ],
    )


@pytest.mark.deserves(1.0, "passed")
def test_group_anagrams(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(
                call="group_anagrams",
                args=[["eat", "tea", "tan", "ate", "nat", "bat"]],
                expected=[["eat", "tea", "ate"], ["tan", "nat"], ["bat"]],
            ),
            Case(call="group_anagrams", args=[[""]], expected=[[""]]),
            Case(call="group_anagrams", args=[[]], expected=[]),
        ],
    )
