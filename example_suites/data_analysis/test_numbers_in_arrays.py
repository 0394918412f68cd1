"""Analyses with numpy."""

import pytest

from pytest_rewardkit import Case, assert_cases

READINGS = [9.8, 10.1, 10.0, 9.9, 10.2, 10.0, 9.9, 10.1]


@pytest.mark.deserves(1.0, "passed")
def test_correlation(sandbox, weather, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="correlation", args=[weather.path, "temperature", "rain"], expected=-0.523, name="rain"),
            Case(call="correlation", args=[weather.path, "temperature", "temperature"], expected=1.0, name="itself"),
        ],
    )


@pytest.mark.deserves(2 / 3, "partial")
@pytest.mark.reward(threshold=0.5)
def test_outliers(sandbox, candidate):
    """Two large outliers shift mean and deviation so far that the candidate no longer detects them."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="outliers", args=[READINGS], expected=[], name="none"),
            Case(call="outliers", args=[[*READINGS, 99.0]], expected=[8], name="one"),
            Case(call="outliers", args=[[*READINGS, 99.0, 98.0]], expected=[8, 9], name="two"),
        ],
    )


@pytest.mark.deserves(0.0, "wrong_output")
def test_linear_fit(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="linear_fit", args=[[0, 1, 2], [1, 3, 5]], expected=[2.0, 1.0]),
            Case(call="linear_fit", args=[[0, 10], [5, 0]], expected=[-0.5, 5.0]),
        ],
    )


@pytest.mark.deserves(1 / 3, "partial")
@pytest.mark.reward(threshold=0.3)
def test_moving_average(sandbox, candidate):
    """The candidate pads with zeros at both ends instead of leaving these windows out."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="moving_average", args=[[1, 2, 3], 1], expected=[1.0, 2.0, 3.0], name="window of one"),
            Case(call="moving_average", args=[[1, 2, 3, 4], 2], expected=[1.5, 2.5, 3.5], name="window of two"),
            Case(call="moving_average", args=[[3, 3, 3], 3], expected=[3.0], name="one window"),
        ],
    )
