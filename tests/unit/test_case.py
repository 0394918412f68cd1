"""Cases as values: what is refused, their labels, and the names that they use."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.checks.case import NOT_GIVEN, Case, as_cases
from pytest_rewardkit.scorers.running.evaluation import Question


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"expected": 1}, "give one of code=, call= and stdin=, not none"),
        ({"code": "f()", "call": "f", "expected": 1}, "not code and call"),
        ({"code": "f()"}, "nothing to check"),
        ({"code": "f()", "expected": 1, "raises": "E"}, "raises and expected exclude each other"),
        ({"code": "f()", "args": [1], "expected": 1}, "go with call="),
        ({"call": "f", "args": "12", "expected": 1}, "args must be a list"),
        ({"call": "f", "kwargs": {1: 2}, "expected": 1}, "kwargs must be a mapping"),
        ({"call": "f(", "expected": 1}, "call is not valid Python"),
        ({"call": "x = 1", "expected": 1}, "call is not valid Python"),
        ({"code": "def f(:", "expected": 1}, "code is not valid Python"),
        ({"code": 5, "expected": 1}, "code must be text, not int"),
        ({"stdin": 5, "expected": "1"}, "stdin must be text or bytes, not int"),
        ({"stdin": "1", "raises": "E"}, "a program has an output"),
        ({"call": "f", "raises": 5}, "must be an exception or its name"),
        ({"call": "f", "expected": 1, "match": "x"}, "match= goes with raises="),
        ({"call": "f", "raises": "E", "match": "("}, "not a regular expression"),
        ({"call": "f", "expected": 1, "weight": -1}, "weight must be a finite number"),
        ({"call": "f", "expected": 1, "weight": float("nan")}, "weight must be a finite number"),
        ({"call": "f", "expected": 1, "time_limit": 0}, "time_limit must be a number of seconds over 0"),
        ({"call": "f", "expected": 1, "time_limit": float("inf")}, "time_limit must be a number of seconds over 0"),
        ({"call": "f", "expected": 1, "compare": "exakt"}, "did you mean 'exact'"),
    ],
)
def test_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(RewardkitUsageError, match="case ") as caught:
        Case(**fields)
    assert message in str(caught.value)


def test_the_message_names_the_case() -> None:
    with pytest.raises(RewardkitUsageError, match="case 'leap year': nothing to check"):
        Case(call="f", name="leap year")


def test_none_is_an_expectation() -> None:
    assert Case(call="f", expected=None).expected is None
    assert Case(call="f", raises="E").expected is NOT_GIVEN


@pytest.mark.parametrize(
    ("case", "label"),
    [
        (Case(call="add", args=[1, "x"], kwargs={"by": 2}, expected=3), "add(1, 'x', by=2)"),
        (Case(code="x = 1\nadd(x)", expected="2"), "x = 1 add(x)"),
        (Case(stdin="1\n2", expected="3"), "stdin '1\\n2'"),
        (Case(call="f", expected=1, name="named"), "named"),
    ],
)
def test_label(case: Case, label: str) -> None:
    assert case.label == label


def test_a_label_is_one_short_printable_line() -> None:
    label = Case(call="f", args=["\x1b[2J\n" * 100], expected=1).label
    assert len(label) <= 60
    assert label.isprintable()


class TestMappings:
    def test_fields_of_a_case(self) -> None:
        assert as_cases([{"code": "f(1)", "expected": "1"}]) == (Case(code="f(1)", expected="1"),)

    def test_an_unknown_field_is_named_with_the_nearest(self) -> None:
        with pytest.raises(
            RewardkitUsageError, match=r"case 2: no field 'expect' in a case; did you mean 'expected'\?"
        ):
            as_cases([{"code": "f(1)", "expected": "1"}, {"code": "f(1)", "expect": "1"}])

    def test_no_cases_are_refused(self) -> None:
        with pytest.raises(RewardkitUsageError, match="no cases were given"):
            as_cases([])
        with pytest.raises(RewardkitUsageError, match="every case has the weight 0"):
            as_cases([Case(call="f", expected=1, weight=0)])

    @pytest.mark.parametrize("cases", [Case(call="f", expected=1), {"call": "f", "expected": 1}, "f"])
    def test_one_case_is_no_list_of_cases(self, cases: Any) -> None:
        with pytest.raises(RewardkitUsageError, match="must be a list of cases"):
            as_cases(cases)

    def test_other_things_are_no_cases(self) -> None:
        with pytest.raises(RewardkitUsageError, match="case 1 must be a Case or a mapping, not tuple"):
            as_cases([("f(1)", "1")])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("code", "statements", "expression"),
    [
        ("add(1, 2)", "", "add(1, 2)"),
        ("x = 1\nadd(x, 2)", "x = 1", "add(x, 2)"),
        ("result = add(1, 2)", "result = add(1, 2)", "result"),
        ("a, b = f()", "a, b = f()", "(a, b)"),
        ("a = b = f()", "a = b = f()", "a"),
        ("d['k'] = f()", "d['k'] = f()", "d['k']"),
        ("x += 1", "x += 1", "x"),
        ("x: int = f()", "x: int = f()", "x"),
        ("x: int", "x: int", ""),
        ("for i in y: pass", "for i in y: pass", ""),
        ("# nothing", "# nothing", ""),
    ],
)
def test_the_value_of_code(code: str, statements: str, expression: str) -> None:
    question = Question.of(Case(code=code, expected="5"))
    assert (question.statements, question.expression) == (statements, expression)


def test_names_that_a_case_uses() -> None:
    source = Case(code="y = [area(s) for s in shapes]\nlen(y)", expected="5").source
    assert source is not None
    assert source.uses == {"area", "shapes"}


def test_arguments_must_be_plain_data() -> None:
    with pytest.raises(RewardkitUsageError, match=r"an argument is a .*Thing, which cannot be taken into a sandbox"):
        Question.of(Case(call="f", args=[[{"k": Thing()}]], expected=1))
    with pytest.raises(RewardkitUsageError, match="too large"):
        Question.of(Case(call="f", args=["x" * 5_000_000], expected=1))


class Thing:
    pass
