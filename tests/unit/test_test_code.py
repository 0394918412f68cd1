"""The two sides of test code, run here against each other: what is asked, what is counted, what is compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.datasets.testcode.guest.checks import Checks, guarded
from pytest_rewardkit.datasets.testcode.guest.digests import digest
from pytest_rewardkit.datasets.testcode.guest.player import Player
from pytest_rewardkit.datasets.testcode.guest.referee import Examination


def examined(
    test: str, candidate: str, *, entry_point: str | None = "f", setup: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The outcome of a test, with JSON between the two sides as between sandboxes."""
    examination = Examination({"setup": setup, "test": test, "entry_point": entry_point, "seconds": 5.0})
    player = Player()
    assert player.load([candidate], 5.0) == {"loaded": True}
    answers: list[tuple[int, dict[str, Any]]] = []
    rounds = 0
    while "outcome" not in (step := examination.advance(answers)):
        operations = json.loads(json.dumps(step["operations"]))
        answers = [(operation["id"], json.loads(json.dumps(player.answer(operation, 5.0)))) for operation in operations]
        rounds += 1
        assert rounds < 20
    outcome: dict[str, Any] = step["outcome"]
    return {**outcome, "rounds": rounds}


def counts(outcome: dict[str, Any]) -> list[tuple[int, int]]:
    return [(place["passed"], place["failed"]) for place in outcome["checks"]]


def test_all_calls_are_asked_for_at_once() -> None:
    test = "def check(f):\n" + "".join(f"    assert f({n}) == {n + 1}\n" for n in range(50))
    outcome = examined(test, "def f(n): return n + 1")
    assert (outcome["rounds"], outcome["made"], outcome["planned"]) == (1, 50, 50)
    assert counts(outcome) == [(1, 0)] * 50


def test_calls_with_what_calls_gave_take_another_round() -> None:
    outcome = examined("assert f(f(1)) == 3\nx = f(5)\nassert f(x + 1) == 8", "def f(n): return n + 1")
    assert counts(outcome) == [(1, 0), (1, 0)]
    assert 1 < outcome["rounds"] < 5


def test_each_check_fails_for_itself() -> None:
    test = "def check(f):\n    for n in range(4):\n        assert f(n) == 0\n    assert f(0) == 0"
    outcome = examined(test, "def f(n): return n % 2")
    assert counts(outcome) == [(2, 2), (1, 0)]
    assert [failure["calls"] for failure in outcome["checks"][0]["failures"]] == [["f(1) is 1"], ["f(3) is 1"]]


def test_the_outermost_of_nested_checks_counts() -> None:
    test = (
        "def assert_same(a, b):\n    assert type(a) is type(b)\n    assert a == b\n"
        "assert_same(f(1), 1)\nassert_same(f(2), 3)\nassert_same(f(3), 3.0)"
    )
    assert counts(examined(test, "def f(n): return n")) == [(1, 0), (0, 1), (0, 1)]


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ("def f(n):\n    if n < 0: raise ValueError('negative')\n    return n", [(1, 0)]),
        ("def f(n): return n", [(1, 0), (0, 1)]),
        ("def f(n): raise KeyError(n)", [(0, 1), (0, 1)]),
    ],
)
def test_a_test_may_wait_for_an_exception(candidate: str, expected: list[tuple[int, int]]) -> None:
    test = (
        "assert f(1) == 1\n"
        "def waiting():\n    try:\n        f(-1)\n    except ValueError as error:\n"
        "        assert 'negative' in str(error)\n    else:\n        raise AssertionError('none')\n"
        "waiting()"
    )
    assert counts(examined(test, candidate)) == expected


def test_objects_of_the_candidates_stay_with_it() -> None:
    candidate = (
        "class Node:\n    def __init__(self, v, next=None): self.v, self.next = v, next\n"
        "def total(n): return 0 if n is None else n.v + total(n.next)\n"
        "def first(ns): return ns[0]\n"
        "class Even:\n    def __eq__(self, other): return True\n"
        "def numbers(n):\n    yield from range(n)\n"
    )
    test = (
        "root = Node(1)\nroot.next = Node(2, next=Node(3))\n"
        "assert total(root) == 6\nassert root.next.v == 2\nassert total(first([root.next, root])) == 5\n"
        "assert Even() == 3\nassert list(numbers(3)) == [0, 1, 2]\nassert numbers(2)\n"
        "assert first([{'a': (1, 2)}]) == {'a': (1, 2)}"
    )
    outcome = examined(test, candidate, entry_point=None)
    assert counts(outcome) == [(1, 0), (1, 0), (1, 0), (0, 1), (1, 0), (1, 0), (1, 0)]


def test_random_inputs_are_the_same_in_every_round() -> None:
    test = "import random\nfor _ in range(30):\n    n = random.random()\n    assert f(f(n)) == n"
    assert counts(examined(test, "def f(n): return -n")) == [(30, 0)]


def test_a_loop_that_waits_for_values_ends_in_rehearsal() -> None:
    outcome = examined("n = 0\nwhile n < 3:\n    n = f(n)\nassert n == 3", "def f(n): return n + 1")
    assert (counts(outcome), outcome["stopped"]) == ([(1, 0)], None)


@pytest.mark.parametrize(
    ("test", "candidate", "made", "planned", "by_candidate"),
    [
        ("assert f(1) == 1\nx = f(0)\nassert f(2) == 2", "def f(n): return n if n else 1 / n", 1, 2, True),
        ("assert f(1) == 1\nx = f(1)[0]\nassert f(2) == 2", "def f(n): return n", 1, 2, False),
    ],
)
def test_a_test_that_breaks_off_says_how_much_it_planned(
    test: str, candidate: str, made: int, planned: int, by_candidate: bool
) -> None:
    outcome = examined(test, candidate)
    assert (outcome["made"], outcome["planned"]) == (made, planned)
    assert outcome["stopped"]["by_candidate"] is by_candidate
    assert not outcome["stopped"]["broken"]


@pytest.mark.parametrize(
    ("test", "setup"),
    [
        ("import not_there\nassert f(1)", ()),
        ("assert f(1", ()),
        ("assert f(lambda: 1)", ()),
        ("f(object())", ()),
        ("assert f(1)", ("1 / 0",)),
    ],
)
def test_what_a_test_cannot_do_without_a_candidate_breaks_it(test: str, setup: tuple[str, ...]) -> None:
    outcome = examined(test, "def f(n): return n", setup=setup)
    assert outcome["stopped"]["broken"]


def test_what_a_candidate_makes_a_test_stumble_over_does_not_break_it() -> None:
    outcome = examined("x = eval(f(1))\nassert x == 1", "def f(n): return 'undefined'")
    assert outcome["stopped"]["type"] == "NameError"
    assert not outcome["stopped"]["broken"]


def test_large_values_are_compared_by_digest_and_only_then_whole() -> None:
    test = (
        "expected = [n / 1 for n in range(100000)]\n"
        "assert f(100000) == expected\nassert f(99999) != expected\nassert len(f(100000)) == 100000"
    )
    outcome = examined(test, "def f(n): return list(range(n))")
    assert counts(outcome) == [(1, 0), (1, 0), (1, 0)]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
def test_values_pass_between_the_sides_unchanged(value: Any) -> None:
    test = "def check(f):\n    got = f(value)\n    assert got == value\n    assert type(got) is type(value)"
    setup = f"inf = float('inf')\nvalue = {value!r}"
    assert counts(examined(test, "def f(v): return v", setup=(setup,))) == [(1, 0), (1, 0)]


@given(plain, plain)
def test_values_of_one_digest_are_equal(one: Any, other: Any) -> None:
    if digest(one) is not None and digest(one) == digest(other):
        assert one == other


@given(st.lists(st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False)))
def test_lists_of_equal_numbers_have_one_digest(numbers: list[Any]) -> None:
    others = [float(n) if isinstance(n, int) and abs(n) < 2**53 else n for n in numbers]
    if all(abs(n) < 2**53 for n in numbers if type(n) is int):
        assert digest(numbers) == digest(others)
    assert digest(numbers) != digest([*numbers, 0])
    assert digest(numbers) != digest(tuple(numbers))


def test_only_built_in_types_have_a_digest() -> None:
    class Mine(list):  # type: ignore[type-arg]
        pass

    assert digest(Mine()) is None
    assert digest([1, {"a": Mine()}]) is None
    assert digest([1], over=1000) is None
    assert digest([object()]) is None


def test_a_guarded_test_runs_as_before() -> None:
    source = (
        "x = []\nfor n in range(3):\n    if n == 1:\n        continue\n    x.append(n)\nassert x == [0, 2]\n"
        "class A:\n    'doc'\n    y = 1\n"
    )
    checks = Checks(rehearsal=False, blames=lambda error: False)
    space: dict[str, Any] = {"__rewardkit__": checks}
    exec(compile(guarded(source), "<test>", "exec"), space)
    assert (space["x"], space["A"].__doc__, checks.made, checks.broken_off) == ([0, 2], "doc", 1, False)
