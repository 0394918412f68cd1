"""Shell scripts: programs in another language, judged by their output for an input."""

import pytest

from pytest_rewardkit import Case, assert_cases


@pytest.mark.deserves(1.0, "passed")
def test_most_frequent_word(sandbox, candidate):
    cases = [
        Case(stdin="the cat and the dog\nand the bird\n", expected="the 3\n", name="several lines"),
        Case(stdin="one\n", expected="one 1\n", name="one word"),
        Case(stdin="b a\na b\n", expected="a 2\n", name="equals, in the order of the alphabet"),
    ]
    assert_cases(sandbox, candidate, cases, language="bash")


@pytest.mark.deserves(0.5, "partial", part="wrong_output")
def test_sum_column(sandbox, candidate):
    """Right without a heading; a column's heading is not a number."""
    cases = [
        Case(stdin="a,1\nb,2\n", expected="3\n", name="rows"),
        Case(stdin="name,amount\na,1\nb,2\n", expected="3\n", name="heading"),
        Case(stdin="a,-5\nb,2\n", expected="-3\n", name="negative"),
        Case(stdin="name,amount\n", expected="0\n", name="heading alone"),
    ]
    assert_cases(sandbox, candidate, cases, language="bash")
