"""The worth of an answer to a case, without a sandbox; and the imports of the scorers."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit import Reward, Verdict
from pytest_rewardkit.scorers.checks.case import NOT_GIVEN, Case
from pytest_rewardkit.scorers.checks.judging import Matching, judge
from pytest_rewardkit.scorers.running.evaluation import Answer
from pytest_rewardkit.scorers.running.protocol import Raised

PLAIN = Matching()
failures = st.sampled_from(
    [Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR, Verdict.TIMEOUT, Verdict.MEMORY, Verdict.NO_CODE]
)
plain_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
answers = st.one_of(
    st.builds(Answer, value=plain_values, stdout=st.text(), stderr=st.text()),
    st.builds(Answer, text=st.text(), stdout=st.text()),
    st.builds(Answer, stdout=st.text()),
    st.builds(Answer, verdict=failures, reason=st.text(), stderr=st.text()),
    st.builds(Answer, verdict=failures, raised=st.builds(Raised, st.just(("builtins.ValueError",)), st.text())),
)
cases = st.one_of(
    st.builds(lambda expected, weight: Case(call="f", expected=expected, weight=weight), plain_values, st.floats(0, 9)),
    st.builds(lambda expected, weight: Case(code="f()", expected=expected, weight=weight), st.text(), st.floats(0, 9)),
    st.builds(lambda expected, weight: Case(stdin="", expected=expected, weight=weight), st.text(), st.floats(0, 9)),
    st.just(Case(call="f", raises="ValueError", match="a")),
    st.just(Case(call="f", checker=lambda value: len(value) / 10)),
)
similarities = st.sampled_from([None, "words", "edit"])


@given(cases, answers, similarities)
def test_every_answer_is_worth_something_in_range(case: Case, answer: Answer, similarity: str | None) -> None:
    part = judge(case, answer, Matching(similarity=similarity))
    assert part.value is not None
    assert 0.0 <= part.value <= 1.0
    assert part.weight == case.weight
    assert (part.verdict is Verdict.PASSED) == (part.value == 1.0)
    assert (part.verdict is Verdict.PARTIAL) == (0.0 < part.value < 1.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 9)), min_size=1, max_size=8), st.randoms())
def test_the_order_of_cases_does_not_matter_and_weights_do(given_cases: list[tuple[bool, float]], random: Any) -> None:
    parts = [
        judge(Case(call="f", expected=1, weight=weight), Answer(value=1 if right else 2), PLAIN)
        for right, weight in given_cases
    ]
    reward = Reward.from_parts(parts)
    share = math.fsum(weight for right, weight in given_cases if right) / math.fsum(weight for _, weight in given_cases)
    assert reward.value == pytest.approx(share)
    random.shuffle(parts)
    assert Reward.from_parts(parts).value == pytest.approx(reward.value)


@given(st.lists(st.booleans(), min_size=1))
def test_another_right_answer_never_earns_less(right: list[bool]) -> None:
    def share(answered: list[bool]) -> float:
        case = Case(call="f", expected=1)
        return float(Reward.from_parts(judge(case, Answer(value=int(a)), PLAIN) for a in answered))

    for place in range(len(right)):
        assert share([*right[:place], True, *right[place + 1 :]]) >= share(right)


@pytest.mark.parametrize(
    ("case", "answer", "value"),
    [
        (Case(code="f()", expected="5"), Answer(value=5, stdout="debug"), 1.0),
        (Case(code="f()", expected="5"), Answer(stdout="5\n"), 1.0),
        (Case(code="f()", expected="5"), Answer(value=None, stdout="5\n"), 1.0),
        (Case(code="f()", expected=5), Answer(value=None, stdout="5\n"), 1.0),
        (Case(code="f()", expected=5), Answer(stdout="five"), 0.0),
        (Case(call="f", expected=None), Answer(value=None, stdout="debug"), 1.0),
        (Case(call="f", expected="5"), Answer(value=5), 0.0),
        (Case(call="f", expected="5", compare="lines"), Answer(value=5), 1.0),
        (Case(call="f", expected=[1], compare="json"), Answer(value=(1,)), 1.0),
        (Case(stdin="", expected=[1, 2]), Answer(stdout="[1, 2]\n"), 1.0),
        (Case(call="f", expected=1), Answer(value=1, verdict=Verdict.TIMEOUT), 0.0),
        (Case(call="f", expected=1), Answer(value=NOT_GIVEN), 0.0),
    ],
)
def test_what_counts(case: Case, answer: Answer, value: float) -> None:
    assert judge(case, answer, PLAIN).value == value


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        *[
            (f"scorers.{name}", {"pytest", "e2b", "e2b_code_interpreter", "httpx", "asyncio"})
            for name in (
                *("values.compare", "response.extract", "guest.inside", "checks.case", "checks.judging"),
                *("checks.file_check", "checks.insight", "checks.chart_check"),
            )
        ],
        # Test modules import these during collection.
        ("assertions", {"e2b", "e2b_code_interpreter", "httpx", "asyncio", "numpy"}),
    ],
)
def test_what_a_module_does_not_import(module: str, absent: set[str]) -> None:
    code = f"import sys, pytest_rewardkit.{module}; print(*(set(sys.modules) & {absent!r}))"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.split() == []
