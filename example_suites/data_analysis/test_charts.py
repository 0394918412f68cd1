"""Analyses that draw: the sandbox returns what was shown as images and as chart data."""

import re

import pytest

from pytest_rewardkit import extract_code

# With your own model, a test passes if it earns the whole reward.
pytestmark = pytest.mark.reward(threshold=1.0)


@pytest.mark.deserves(1.0, "passed")
@pytest.mark.usefixtures("sales")
def test_monthly_revenue(sandbox, reward, candidate):
    """A printed total, and a bar for each month."""
    execution = sandbox.run_code(extract_code(candidate))

    assert execution.error is None
    printed = "".join(execution.logs.stdout)
    charts = [result.chart for result in execution.results if result.chart]
    bars = [element.value for chart in charts if chart.type.value == "bar" for element in chart.elements]
    reward.record(re.findall(r"[\d,.]*\d", printed) == ["21990"], name="total", weight=2)
    reward.record([chart.type.value for chart in charts] == ["bar"] and len(bars) == 6, name="bar chart")
    reward.record(bars == [4260, 2570, 3370, 3670, 2780, 5340], name="bars")


@pytest.mark.deserves(1 / 2, "partial")
@pytest.mark.usefixtures("weather")
def test_temperature_trend(sandbox, reward, candidate):
    """The candidate finds the warmest day, but saves its chart to a file where nobody sees it."""
    execution = sandbox.run_code(extract_code(candidate))

    assert execution.error is None
    days = re.findall(r"\d{4}-\d\d-\d\d", "".join(execution.logs.stdout))
    reward.record(days == ["2024-04-30"], name="warmest day")
    lines = [line for result in execution.results if result.chart for line in result.chart.elements]
    reward.record([len(getattr(line, "points", ())) for line in lines] == [30], name="each day in a chart")
