"""Graphs and search."""

from pytest import approx

from pytest_rewardkit import Case, assert_cases


def test_shortest_path(sandbox, response):
    """Steps from the top left to the bottom right of a grid; `#` is a wall."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="shortest_path", args=[["..", ".."]], expected=2),
            Case(call="shortest_path", args=[[".#.", "...", "##."]], expected=4),
            Case(call="shortest_path", args=[[".#", "#."]], expected=-1),
            Case(call="shortest_path", args=[["."]], expected=0),
        ],
    )
    assert (reward.value, reward.verdict) == (1.0, "passed")


DIAMOND = {"d": [], "b": ["d"], "c": ["d"], "a": ["b", "c"]}


def respects_edges(order):
    """Several orders are right, so a checker looks at the one that came out."""
    return sorted(order) == sorted(DIAMOND) and all(
        order.index(node) < order.index(successor) for node in DIAMOND for successor in DIAMOND[node]
    )


def test_topological_order(sandbox, response):
    """The candidate does not look for cycles and recurses without end."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="topological_order", args=[DIAMOND], checker=respects_edges, name="diamond"),
            Case(call="topological_order", args=[{"c": [], "b": ["c"], "a": ["b"]}], expected=["a", "b", "c"]),
            Case(call="topological_order", args=[{"x": []}], expected=["x"]),
            Case(call="topological_order", args=[{"a": ["b"], "b": ["a"]}], expected=None, name="cycle"),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(3 / 4), "partial")
    assert reward.parts[3].verdict == "runtime_error"


def test_count_queens(sandbox, response):
    """The response was cut off by the token limit, in the middle of a line."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="count_queens", args=[4], expected=2),
            Case(call="count_queens", args=[6], expected=4),
        ],
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "wrong_output")
    assert "without its end, which was cut off" in reward.reason


def test_knapsack(sandbox, response):
    """The candidate is greedy, and the one case that tells is worth as much as the others together."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="knapsack", args=[[10], [5], 5], expected=10, name="one item"),
            Case(call="knapsack", args=[[10, 20], [5, 5], 0], expected=0, name="no room"),
            Case(call="knapsack", args=[[10, 20], [1, 2], 3], expected=30, name="all fit"),
            Case(call="knapsack", args=[[60, 100, 120], [10, 20, 30], 50], expected=220, name="greedy trap", weight=3),
        ],
        threshold=0.5,
    )
    assert (reward.value, reward.verdict) == (approx(1 / 2), "partial")


def test_dijkstra(sandbox, response):
    """The candidate forgot to import what it uses, which shows only when it is called."""
    reward = assert_cases(
        sandbox,
        response,
        cases=[
            Case(call="dijkstra", args=[{"a": {"b": 1}, "b": {}}, "a"], expected={"a": 0, "b": 1}),
            Case(
                call="dijkstra",
                args=[{"a": {"b": 7, "c": 2}, "b": {}, "c": {"b": 3}}, "a"],
                expected={"a": 0, "b": 5, "c": 2},
            ),
        ],
        threshold=0,
    )
    assert (reward.value, reward.verdict) == (0.0, "runtime_error")
