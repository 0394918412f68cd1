"""Graphs and search."""

import pytest

from pytest_rewardkit import Case, assert_cases


@pytest.mark.deserves(1.0, "passed")
def test_shortest_path(sandbox, candidate):
    """Steps from the top left to the bottom right of a grid; `#` is a wall."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="shortest_path", args=[["..", ".."]], expected=2),
            Case(call="shortest_path", args=[[".#.", "...", "##."]], expected=4),
            Case(call="shortest_path", args=[[".#", "#."]], expected=-1),
            Case(call="shortest_path", args=[["#."]], expected=-1, name="no way in"),
            Case(call="shortest_path", args=[["....", "###.", "....", ".###", "...."]], expected=13, name="winding"),
            Case(call="shortest_path", args=[["."]], expected=0),
        ],
    )


DIAMOND = {"d": [], "b": ["d"], "c": ["d"], "a": ["b", "c"]}


def respects_edges(order):
    """Several orders are right, so a checker judges the one that came out."""
    return sorted(order) == sorted(DIAMOND) and all(
        order.index(node) < order.index(successor) for node in DIAMOND for successor in DIAMOND[node]
    )


@pytest.mark.deserves(3 / 4, "partial", part="runtime_error")
@pytest.mark.reward(threshold=0.5)
def test_topological_order(sandbox, candidate):
    """The candidate does not check for cycles and recurses without end."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="topological_order", args=[DIAMOND], checker=respects_edges, name="diamond"),
            Case(call="topological_order", args=[{"c": [], "b": ["c"], "a": ["b"]}], expected=["a", "b", "c"]),
            Case(call="topological_order", args=[{"x": []}], expected=["x"]),
            Case(call="topological_order", args=[{"a": ["b"], "b": ["a"]}], expected=None, name="cycle"),
        ],
    )


@pytest.mark.deserves(0.0, "wrong_output")
def test_count_queens(sandbox, candidate):
    """The token limit cut the response off in the middle of a line."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="count_queens", args=[4], expected=2),
            Case(call="count_queens", args=[6], expected=4),
        ],
    )


@pytest.mark.deserves(4 / 7, "partial")
@pytest.mark.reward(threshold=0.5)
def test_knapsack(sandbox, candidate):
    """The candidate is greedy, and the one case that shows it counts as much as the others together."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="knapsack", args=[[10], [5], 5], expected=10, name="one item"),
            Case(call="knapsack", args=[[10, 20], [5, 5], 0], expected=0, name="no room"),
            Case(call="knapsack", args=[[10, 20], [1, 2], 3], expected=30, name="all fit"),
            Case(call="knapsack", args=[[5, 4], [1, 1], 2], expected=9, name="equal weights"),
            Case(call="knapsack", args=[[60, 100, 120], [10, 20, 30], 50], expected=220, name="greedy trap", weight=3),
        ],
    )


@pytest.mark.deserves(0.0, "runtime_error")
def test_dijkstra(sandbox, candidate):
    """The candidate forgot an import, which only shows when it is called."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="dijkstra", args=[{"a": {"b": 1}, "b": {}}, "a"], expected={"a": 0, "b": 1}),
            Case(
                call="dijkstra",
                args=[{"a": {"b": 7, "c": 2}, "b": {}, "c": {"b": 3}}, "a"],
                expected={"a": 0, "b": 5, "c": 2},
            ),
            Case(
                call="dijkstra",
                args=[{"a": {"b": 1, "c": 4, "d": 9}, "b": {"c": 2}, "c": {"d": 3}, "d": {}}, "a"],
                expected={"a": 0, "b": 1, "c": 3, "d": 6},
                name="three roads",
            ),
        ],
    )
