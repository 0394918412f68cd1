"""Strings in, strings out."""

import pytest

from pytest_rewardkit import Case, assert_cases


@pytest.mark.deserves(3 / 4, "partial")
@pytest.mark.reward(threshold=0.5)
def test_slugify(sandbox, candidate):
    """The candidate drops letters with accents instead of replacing them."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="slugify", args=["Hello, World!"], expected="hello-world"),
            Case(call="slugify", args=["  spaces   everywhere "], expected="spaces-everywhere"),
            Case(call="slugify", args=["already-a-slug"], expected="already-a-slug"),
            Case(call="slugify", args=["Crème brûlée"], expected="creme-brulee", name="accents"),
        ],
    )


@pytest.mark.deserves(0.0, "wrong_output")
def test_caesar(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="caesar", args=["abc", 3], expected="def"),
            Case(call="caesar", args=["Hello, World!", 5], expected="Mjqqt, Btwqi!"),
            Case(call="caesar", args=["xyz", 1], expected="yza"),
        ],
    )


@pytest.mark.deserves(1.0, "passed")
def test_levenshtein(sandbox, candidate):
    """Two fences: the model corrects its own first attempt, which is too slow."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="levenshtein", args=["kitten", "sitting"], expected=3),
            Case(call="levenshtein", args=["", "abc"], expected=3),
            Case(call="levenshtein", args=["abc", ""], expected=3),
            Case(call="levenshtein", args=["same", "same"], expected=0),
            Case(call="levenshtein", args=["intention" * 5, "execution" * 5], expected=25, time_limit=2),
        ],
    )


@pytest.mark.deserves(3 / 5, "partial")
@pytest.mark.reward(threshold=0.6)
def test_redact_phone_numbers(sandbox, candidate):
    """The candidate knows only one format of phone numbers."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="redact", args=["call 555-123-4567 now"], expected="call [phone] now", name="dashes"),
            Case(call="redact", args=["no number here"], expected="no number here", name="none"),
            Case(call="redact", args=["555-123-4567, 555-765-4321"], expected="[phone], [phone]", name="two"),
            Case(call="redact", args=["(555) 123-4567"], expected="[phone]", name="parentheses"),
            Case(call="redact", args=["order 1555-123-45678"], expected="order 1555-123-45678", name="longer number"),
        ],
    )


@pytest.mark.deserves(0.0, "no_code")
def test_is_valid_email(sandbox, candidate):
    """Nothing in the response is code."""
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="is_valid_email", args=["ada@example.org"], expected=True),
            Case(call="is_valid_email", args=["ada@"], expected=False),
        ],
    )


@pytest.mark.deserves(2 / 3, "partial", part="runtime_error")
@pytest.mark.reward(threshold=0.5)
def test_title_case(sandbox, candidate):
    assert_cases(
        sandbox,
        candidate,
        cases=[
            Case(call="title_case", args=["hello world"], expected="Hello World"),
            Case(call="title_case", args=["1 2 3"], expected="1 2 3", name="no letters"),
            Case(call="title_case", args=["it's FINE"], expected="It's Fine"),
        ],
    )
