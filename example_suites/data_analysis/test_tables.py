"""Analyses of a table with pandas."""

import pytest

from pytest_rewardkit import Case, assert_cases, assert_output


@pytest.mark.deserves(1.0, "passed")
@pytest.mark.usefixtures("sales")
def test_revenue_by_region(sandbox, candidate):
    assert_output(sandbox, candidate, expected="north: 11460.00\nsouth: 10530.00\n")


@pytest.mark.deserves(1 / 2, "partial")
@pytest.mark.reward(threshold=0.5)
@pytest.mark.usefixtures("sales")
def test_best_month(sandbox, candidate):
    """The candidate adds up units although the task asks for revenue; it answers the other two questions."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="best_month", args=["sales.csv"], expected="2024-06", name="best month", weight=2),
            Case(call="number_of_sales", args=["sales.csv"], expected=24, name="sales"),
            Case(call="products", args=["sales.csv"], expected=["desk", "lamp"], name="products"),
        ],
    )


@pytest.mark.deserves(1.0, "passed")
@pytest.mark.usefixtures("sales")
def test_pivot_units(sandbox, candidate):
    """Code cases check the variables that the analysis left."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(code="list(table.columns)", expected=["desk", "lamp"], name="products"),
            Case(code="list(table.index)", expected=["north", "south"], name="regions"),
            Case(code="int(table.loc['north', 'lamp'])", expected=288, name="north, lamp"),
            Case(code="int(table.loc['south', 'desk'])", expected=37, name="south, desk"),
        ],
    )


@pytest.mark.deserves(0.0, "runtime_error")
@pytest.mark.usefixtures("survey")
def test_mean_by_group(sandbox, candidate):
    """The candidate guesses the name of a column wrongly."""
    assert_output(sandbox, candidate, expected="A 2.4\nB 5.6\nC 2.8\n")


@pytest.mark.deserves(3 / 5, "partial")
@pytest.mark.reward(threshold=0.5)
@pytest.mark.usefixtures("survey")
def test_fill_missing(sandbox, candidate):
    """Missing answers become the median of their group. The candidate takes the overall median."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(code="len(filled)", expected=18, name="no row lost"),
            Case(code="int(filled['Satisfaction Score'].isna().sum())", expected=0, name="nothing missing"),
            Case(code="int(filled['age'].isna().sum())", expected=2, name="other columns untouched"),
            Case(
                code="filled['Satisfaction Score'].iloc[[3, 8, 13]].tolist()",
                expected=[6.0, 2.0, 3.0],
                name="medians by group",
                weight=2,
            ),
        ],
    )
