"""A sandbox's valid answers to a question; everything else is refused with the same exception."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.scorers.guest.operand_recorder import OperandRecorder
from pytest_rewardkit.scorers.running.decomposition import planned
from pytest_rewardkit.scorers.running.protocol import PRINTED, SHOWN, VALUE, Raised, Refused, read, reading_of

numbers = st.integers(-3, 3)
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["object", "int", "set", "dict", "array", "bases", "message", "x"]), inner)
    ),
)
kinds = st.sampled_from(["value", "text", "raised", "done", "compared", "tree", ""]) | st.text(max_size=3)
wanted = st.sampled_from([VALUE, PRINTED, SHOWN, ""])
forged = st.one_of(
    st.text(max_size=30),
    json_data.map(json.dumps),
    st.lists(kinds | json_data, min_size=1, max_size=3).map(json.dumps),
    st.tuples(kinds, json_data).map(json.dumps),
)
PLANS = [
    plan
    for code in (
        "f() == 4 and g() in [1] or not h()",
        "1 < f() < 3",
        "all(f(x) == x for x in y)",
        "a if f() == 1 else b",
    )
    if (plan := planned([], ast.parse(code, mode="eval").body)) is not None
]


@given(forged, wanted, st.sampled_from([None, *PLANS]))
def test_an_answer_says_one_thing_or_is_refused(text: str, wants: str, plan: Any) -> None:
    try:
        said = read(text, wants, plan)
    except Refused:
        return
    assert (len(said.value), said.text is not None, said.raised is not None) in (
        (1, False, False),
        (0, True, False),
        (0, False, True),
        (0, False, False),
    )
    assert said.raised is not None or bool(wants) == (bool(said.value) or said.text is not None)


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ('["value", 1]', ""),
        ('["text", "1"]', VALUE),
        ('["text", 1]', PRINTED),
        ('["text", ["1", "2"]]', PRINTED),
        ('["text", "1", "2"]', PRINTED),
        ('["value", 1, 2]', VALUE),
        ('["value", {"object": ["a.B", "1"]}]', PRINTED),
        ('["done", null]', VALUE),
        ('{"value": 1}', VALUE),
        ('["value", 1', VALUE),
        ("[" * 100_000, VALUE),
        ('["value", ' + "[" * 300 + "]" * 300 + "]", VALUE),
        ('["text", "' + "x" * 1_000_001 + '"]', PRINTED),
        ('["raised", {"bases": [], "message": "", "traceback": ""}]', VALUE),
        ('["raised", {"bases": ["a.B"], "message": "", "traceback": ""}]', VALUE),
        ('["raised", {"bases": ["builtins.KeyError"], "message": ["", ""], "traceback": ""}]', VALUE),
        ('["compared", [[], ["value", 1]]]', VALUE),
    ],
)
def test_what_is_refused(text: str, wants: str) -> None:
    with pytest.raises(Refused):
        read(text, wants)


def test_an_exception_has_the_bases_that_the_host_knows() -> None:
    def bases(*names: str) -> tuple[str, ...]:
        said = read(json.dumps(["raised", {"bases": names, "message": "m", "traceback": ""}]), VALUE)
        assert isinstance(said.raised, Raised)
        return said.raised.types

    lookup = ("builtins.KeyError", "builtins.LookupError", "builtins.Exception", "builtins.BaseException")
    assert bases("candidate.A", "candidate.B", "builtins.KeyError", "builtins.ValueError") == (
        "candidate.A",
        "candidate.B",
        *lookup,
    )
    assert bases("builtins.KeyError") == lookup
    assert "builtins.ValueError" in bases("io.UnsupportedOperation", "builtins.OSError")
    assert bases("builtins.print", "antigravity.Error", "builtins.KeyError")[2:] == lookup


@pytest.mark.parametrize(
    ("expected", "reading"),
    [
        ("5", PRINTED),
        ("'ab'", PRINTED),
        ("1/2", PRINTED),
        ("Fraction(1, 2)", SHOWN),
        ("array([[1, 2],\n       [3, 4]])", SHOWN),
        ("hi\nDecimal('0.1')", SHOWN),
        ("<Color.RED: 1>", SHOWN),
        ("<1, 2>", PRINTED),
        ("<div class='x'><b>", PRINTED),
        ("np.float64(2.0)", SHOWN),
        ("np.True_", SHOWN),
        ("Hello (world)", PRINTED),
        ("(1, 2)", PRINTED),
        ("2024-01-01 00:00:00", PRINTED),
    ],
)
def test_the_reading_is_the_authors(expected: str, reading: str) -> None:
    assert reading_of(expected) == reading


atoms = st.one_of(
    numbers.map(repr),
    st.sampled_from(["x", "y", "[1, x]", "'ab'", "'b'", "None", "True", "(1, 2)", "{1: y}", "{1, x}", "0.5", "f(x)"]),
)
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
expressions = st.recursive(
    st.tuples(atoms, signs, atoms).map(" ".join) | st.sampled_from(["x is None", "None is not y", "(x == 1) is True"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner | atoms).map(lambda it: f"({' '.join(it)})"),
        inner.map(lambda it: f"not ({it})"),
        st.tuples(inner, inner, atoms).map(lambda it: f"({it[0]} if {it[1]} else {it[2]})"),
        st.lists(inner, max_size=3).map(lambda it: f"all([{', '.join(it)}])"),
        st.tuples(st.sampled_from(["all", "any"]), atoms, signs, atoms).map(
            lambda it: f"{it[0]}({it[1]} {it[2]} {it[3]} for x in [0, 1, 2])"
        ),
        st.tuples(inner, signs, atoms).map(lambda it: f"({it[0]}) {it[1]} {it[2]}"),
        st.tuples(atoms, signs, atoms, signs, atoms).map(" ".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda it: f"[{', '.join(it)}]"),
    ),
    max_leaves=4,
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(expressions, numbers, numbers)
def test_the_host_comes_to_what_python_does(code: str, x: int, y: int) -> None:
    def evaluate(source: str) -> Any:
        return eval(source, {"x": x, "y": y, "f": lambda it: it * it})

    tree = ast.parse(code, mode="eval").body
    plan = planned([], tree)
    if plan is None or plan.tree is None:
        return
    try:
        wanted = evaluate(code)
    except TypeError:
        return
    try:
        record, _ = OperandRecorder(evaluate).record(json.loads(json.dumps(plan.tree.question())))
    except TypeError:  # `all` of a list could not have given this
        assert "all(" in code
        return
    assert plan.tree.concluded(json.loads(json.dumps(record))).value == wanted
