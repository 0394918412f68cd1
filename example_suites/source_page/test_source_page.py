"""The first two examples of E2B's "Code Execution Overview", with the names of today."""

from pytest import approx

from pytest_rewardkit import Case, assert_cases, assert_output

RESPONSE = """
def add_numbers(a, b):
    return a + b
"""


def test_basic_code_execution(sandbox):
    """What the response prints is compared with the output that is expected."""
    reward = assert_output(sandbox, "print(sum(range(1, 11)))", expected="55")
    assert reward.value == 1.0


def test_advanced_code_evaluation(sandbox):
    """The page's usage example: a case that ends in an assignment has the assigned value."""
    test_cases = [
        Case(code="result = add_numbers(2, 3)", expected="5"),
        Case(code="result = add_numbers(-1, 1)", expected="0"),
    ]
    reward = assert_cases(sandbox, RESPONSE, cases=test_cases)
    assert reward.value == 1.0


def test_partial_credit(sandbox):
    """The reward is the share of the cases that pass."""
    test_cases = [
        Case(code="result = add_numbers(2, 3)", expected="5"),
        Case(code="result = add_numbers(-1, 1)", expected="0"),
        Case(code="result = add_numbers('2', 3)", expected="5"),
    ]
    reward = assert_cases(sandbox, RESPONSE, cases=test_cases, threshold=0.6)
    assert reward.value == approx(2 / 3)
