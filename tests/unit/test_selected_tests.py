"""Expressions that select node ids."""

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.selection import Selection

NODE_ID = "algorithms/test_Graphs.py::TestPaths::test_shortest[ring-5]"


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("graphs", True),
        ("GRAPHS", True),
        ("trees", False),
        ("test_graphs.py::testpaths", True),
        ("[ring-5]", True),
        ("not trees", True),
        ("not not graphs", True),
        ("graphs and trees", False),
        ("graphs or trees", True),
        ("trees or graphs and paths", True),
        ("(trees or graphs) and heaps", False),
        ("not (trees or heaps)", True),
        ("not trees and heaps", False),
        ("Trees OR Graphs", True),
        ("android", False),
    ],
)
def test_selects(text, selects):
    assert Selection(text)(NODE_ID) is selects


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "expected a word, 'not' or '(' at column 1, not the end"),
        ("graphs trees", "expected 'and', 'or' or the end at column 8, not 'trees'"),
        ("(graphs", r"expected ')' at column 8, not the end"),
        ("graphs)", r"expected 'and', 'or' or the end at column 7, not ')'"),
        ("graphs and", "expected a word, 'not' or '(' at column 11, not the end"),
        ("graphs and or trees", "expected a word, 'not' or '(' at column 12, not 'or'"),
    ],
)
def test_what_is_no_expression_is_refused(text, wrong):
    with pytest.raises(RewardkitUsageError) as refused:
        Selection(text)
    assert str(refused.value) == f"{text!r}: {wrong}"
