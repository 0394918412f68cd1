"""Analyses with numpy."""

from pytest import approx

from pytest_rewardkit import Case, assert_cases

READINGS = [9.8, 10.1, 10.0, 9.9, 10.2, 10.0, 9.9, 10.1]


def test_correlation(sandbox, weather, response):
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="correlation", args=[weather.path, "temperature", "rain"], expected=-0.523, name="rain"),
            Case(call="correlation", args=[weather.path, "temperature", "temperature"], expected=1.0, name="itself"),
        ],
    )
    assert (reward.value, reward.verdict) == (1.0, "passed")


def test_outliers(sandbox, response):
    """Two large outliers pull mean and deviation so far that the candidate no longer sees them."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="outliers", args=[READINGS], expected=[], name="none"),
            Case(call="outliers", args=[[*READINGS, 99.0]], expected=[8], name="one"),
            Case(call="outliers", args=[[*READINGS, 99.0, 98.0]], expected=[8, 9], name="two"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(2 / 3), "partial")


# numpy.polyfit gives the highest power first.
LINEAR_FIT = """\
```python
import numpy as np

def linear_fit(x, y):
    \"\"\"Return (slope, intercept), rounded to three digits.\"\"\"
    intercept, slope = np.polyfit(x, y, 1)
    return [round(float(slope), 3), round(float(intercept), 3)]
```
"""


def test_linear_fit(sandbox):
    reward = assert_cases(
        sandbox,
        LINEAR_FIT,
        cases=[
            Case(call="linear_fit", args=[[0, 1, 2], [1, 3, 5]], expected=[2.0, 1.0]),
            Case(call="linear_fit", args=[[0, 10], [5, 0]], expected=[-0.5, 5.0]),
        ],
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "wrong_output")


def test_moving_average(sandbox, response):
    """The candidate pads with zeros at both ends instead of leaving these windows out."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="moving_average", args=[[1, 2, 3], 1], expected=[1.0, 2.0, 3.0], name="window of one"),
            Case(call="moving_average", args=[[1, 2, 3, 4], 2], expected=[1.5, 2.5, 3.5], name="window of two"),
            Case(call="moving_average", args=[[3, 3, 3], 3], expected=[3.0], name="one window"),
        ],
        threshold=0.3,
    )
    assert (reward.value, reward.verdict) == (approx(1 / 3), "partial")
