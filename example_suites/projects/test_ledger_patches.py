"""Patches of a small project, judged by that project's tests."""

from pathlib import Path

import pytest

from pytest_rewardkit import Project, assert_tests

LEDGER = Project(source=Path(__file__).parent / "ledger")


@pytest.mark.deserves(1.0, "passed")
def test_read_any_line(sandbox, candidate):
    """Lines may be empty, and purposes may contain commas."""
    assert_tests(
        sandbox,
        candidate,
        LEDGER,
        fail_to_pass=["tests/test_ledger.py::test_comma_in_a_purpose", "tests/test_ledger.py::test_empty_line"],
        pass_to_pass=["tests/test_ledger.py::test_balance"],
    )
