"""Code for one release of a library: each template in pyproject.toml has another release, and pytest has none.

The task: write `amount_due(orders)` with the library `invoices`. Orders are pairs of cents and count, and the answer is
a text such as "11.90", with 19 % VAT.
"""

import pytest

from pytest_rewardkit import Case, assert_cases, assert_output

CASES = [
    Case(call="amount_due", args=[[[1000, 1]]], expected="11.90", name="one order"),
    Case(call="amount_due", args=[[[250, 2], [199, 3]]], expected="13.05", name="several orders"),
    Case(call="amount_due", args=[[]], expected="0.00", name="none"),
]


@pytest.mark.sandbox(template="invoices-1")
@pytest.mark.deserves(1.0, "passed")
def test_amount_due_by_release_1(sandbox, candidate):
    assert_cases(sandbox, candidate, CASES)


@pytest.mark.sandbox(template="invoices-2")
@pytest.mark.deserves(1.0, "passed")
def test_amount_due_by_release_2(sandbox, candidate):
    assert_cases(sandbox, candidate, CASES)


@pytest.mark.sandbox(template="invoices-2")
@pytest.mark.deserves(0.0, "runtime_error")
def test_amount_due_as_it_was(sandbox, candidate):
    """Right for release 1, which most of a model's training data is about."""
    assert_cases(sandbox, candidate, CASES)


@pytest.mark.sandbox(template="invoices-1")
@pytest.mark.deserves(0.0, "runtime_error")
def test_amount_due_by_numpy(sandbox, candidate):
    """Right where numpy is installed, as in pytest's own environment; the template has only the library."""
    assert_cases(sandbox, candidate, CASES)


@pytest.mark.sandbox(template="invoices-2")
@pytest.mark.deserves(1.0, "passed")
def test_installed_release(sandbox, candidate):
    assert_output(sandbox, candidate, "invoices 2.0.0")
