"""The two sides of test code, run here against each other: the questions, the counts and the comparisons."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.datasets.testcode.guest.checks import Checks, guarded
from pytest_rewardkit.datasets.testcode.guest.digests import digest
from pytest_rewardkit.datasets.testcode.guest.handing import Sent, built_in_type
from pytest_rewardkit.datasets.testcode.guest.operation_runner import OperationRunner
from pytest_rewardkit.datasets.testcode.guest.row_test import RowTest


def examined(
    test: str,
    candidate: str,
    *,
    entry_point: str | None = "f",
    setup: tuple[str, ...] = (),
    defined: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The outcome of a test, with JSON between the two sides as between sandboxes."""
    program = {"setup": setup, "test": test, "entry_point": entry_point, "defined": defined, "seconds": 5.0}
    examination = RowTest(program)
    runner = OperationRunner()
    assert runner.load([candidate], 5.0) == {"loaded": True}
    answers: list[tuple[int, dict[str, Any]]] = []
    rounds = 0
    while "outcome" not in (step := examination.advance(answers)):
        operations = json.loads(json.dumps(step["operations"]))
        answers = [(operation["id"], json.loads(json.dumps(runner.answer(operation, 5.0)))) for operation in operations]
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


def test_dataclasses_of_a_test_have_a_module() -> None:
    test = "import dataclasses\n@dataclasses.dataclass\nclass P:\n    n: 'int'\nassert P(f(1)) == P(2)"
    assert counts(examined(test, "def f(n): return n + 1")) == [(1, 0)]


def test_a_test_may_wait_for_an_exception_by_pytest() -> None:
    test = (
        "import pytest\nwith pytest.raises(ValueError, match='7') as caught:\n    f(7)\n"
        "assert caught.value.args == ('7',)"
    )
    right = examined(test, "def f(n): raise ValueError(n)")
    assert (counts(right), right["stopped"]) == ([(1, 0)], None)
    wrong = examined(test, "def f(n): return n")
    assert (wrong["stopped"]["type"], wrong["stopped"]["broken"]) == ("Failed", False)


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


def test_a_loop_that_waits_for_values_ends_in_a_dry_run() -> None:
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
        ("f(object())", ()),
        ("class Own: pass\nassert f(Own) is None", ()),
        ("import itertools\nf(itertools.count())", ()),
        ("log = []\nf(lambda n: log.append(n))", ()),
        ("assert f(1)", ("1 / 0",)),
    ],
)
def test_what_a_test_cannot_do_without_a_candidate_breaks_it(test: str, setup: tuple[str, ...]) -> None:
    outcome = examined(test, "def f(n): return n", setup=setup)
    assert outcome["stopped"]["broken"]


HANDED = {
    "a type": (
        "def f(items, kind): return [i for i in items if isinstance(i, kind)]",
        "assert f([1, 'a'], int) == [1]",
    ),
    "types in a tuple": ("def f(i, kinds): return isinstance(i, kinds)", "assert f('a', (int, str)) is True"),
    "a type of a module": (
        "import collections\ndef f(kind): return issubclass(kind, dict)",
        "from collections import OrderedDict\nassert f(OrderedDict) is True",
    ),
    "an exception's type": (
        "def f(kind):\n    try: raise kind('x')\n    except LookupError as e: return type(e).__name__",
        "assert f(KeyError) == 'KeyError'",
    ),
    "a function of the library": (
        "def f(g, n): return g(n)",
        "import math\nassert f(math.sqrt, 9) == 3 == f(len, 'abc')",
    ),
    "a method of a type": ("def f(g, t): return g(t)", "assert f(str.upper, 'a') == 'A'"),
    "a range": ("def f(r): return (min(r), max(r), len(r))", "assert f(range(3, 9, 2)) == (3, 7, 3)"),
    "a lambda": ("def f(g, n): return g(n)", "assert f(lambda n: n + 1, 1) == 2"),
    "a function with all it needs": (
        "def f(g): return [g(n) for n in range(3)]",
        "import math\nBASE = 10\ndef root(n, *, more=1): return math.isqrt(n) + more\n"
        "def made(k):\n    def inner(n, d=2): return BASE * root(n) + k + d\n    return inner\n"
        "assert f(made(5)) == [17, 27, 27]",
    ),
    "a long function": (
        "def f(g): return g(3)",
        "def long(n):\n" + "    n += 1\n" * 100 + "    return n\nassert f(long) == 103",
    ),
    "a long iterator": ("def f(i): return sum(i)", "assert f(iter(range(5000))) == 12497500"),
    "a function that asserts and raises": (
        "def f(g):\n    got = []\n    for n in (1, 2, 0):\n        try: got.append(g(n))\n"
        "        except (AssertionError, ZeroDivisionError) as e: got.append(type(e).__name__)\n    return got",
        "def g(n):\n    assert n != 2\n    half = 1 / n\n    return half\n"
        "assert f(g) == [1.0, 'AssertionError', 'ZeroDivisionError']",
    ),
    "a function that calls itself": (
        "def f(g, n): return g(n)",
        "def fact(n): return 1 if n < 2 else n * fact(n - 1)\nassert f(fact, 5) == 120",
    ),
    "functions in a list": ("def f(gs, n): return [g(n) for g in gs]", "assert f([abs, lambda n: -n], -2) == [2, 2]"),
    "a text file": (
        "def f(file): return [line.strip() for line in file]",
        "import io\nassert f(io.StringIO('a\\nb')) == ['a', 'b']",
    ),
    "a binary file": (
        "def f(file): return file.read()",
        "import io\nb = io.BytesIO(b'abc')\nb.read(1)\nassert f(b) == b'bc'",
    ),
    "an array": ("def f(a): return a.shape", "import numpy\nassert f(numpy.zeros((2, 3))) == (2, 3)"),
    "an iterator": ("def f(it): return sum(it)", "assert f(iter([1, 2])) == 3"),
    "a generator": ("def f(it): return next(it), list(it)", "assert f(n * n for n in range(4)) == (0, [1, 4, 9])"),
    "a map and a zip": (
        "def f(a, b): return list(a), list(b)",
        "assert f(map(str, [1]), zip([1], 'a')) == (['1'], [(1, 'a')])",
    ),
}


@pytest.mark.parametrize(("candidate", "test"), HANDED.values(), ids=HANDED)
def test_a_test_hands_over_more_than_plain_data(candidate: str, test: str) -> None:
    outcome = examined(test, candidate)
    assert (counts(outcome), outcome["stopped"]) == ([(1, 0)], None)


CHANGED = {
    "a list": ("def f(a): a.append(1)", "l = []\nf(l)\nassert l == [1]\nf(l)\nassert l == [1, 1]", 2),
    "sorting in place": ("def f(a): a.sort()", "l = [3, 1, 2]\nassert f(l) is None\nassert l == [1, 2, 3]", 2),
    "a matrix": (
        "def f(m): m[1][0] = 9",
        "row = [1]\nm = [[0], row]\nf(m)\nassert m == [[0], [9]]\nassert row == [9]",
        2,
    ),
    "a dictionary": ("def f(d): d['b'] = d.pop('a')", "d = {'a': 1}\nf(d=d)\nassert d == {'b': 1}", 1),
    "a set": ("def f(s): s.discard(1)", "s = {1, 2}\nf(s)\nassert s == {2}", 1),
    "a byte array": ("def f(b): b[0] = 66", "b = bytearray(b'A')\nf(b)\nassert b == b'B'", 1),
    "in a tuple": ("def f(t): t[0].append(t[1])", "l = []\nf((l, 5))\nassert l == [5]", 1),
    "before it raises": (
        "def f(a):\n    a.clear()\n    raise ValueError('x')",
        "l = [1]\ntry:\n    f(l)\nexcept ValueError:\n    pass\nassert l == []",
        1,
    ),
    "by an object that remembers": (
        "class f:\n    def __init__(self): self.got = []\n"
        "    def take(self, l):\n        self.got += l\n        l.clear()",
        "q = f()\nl = [1]\nq.take(l)\nq.take(l)\nassert l == []\nassert q.got == [1]",
        2,
    ),
    "what another call changes": (
        "def f(a): a.append(len(a))",
        "l = []\nfor _ in range(4):\n    f(l)\nassert l == [0, 1, 2, 3]",
        1,
    ),
}


@pytest.mark.parametrize(("candidate", "test", "passed"), CHANGED.values(), ids=CHANGED)
def test_a_test_sees_what_a_candidate_changes_in_place(candidate: str, test: str, passed: int) -> None:
    outcome = examined(test, candidate)
    assert outcome["stopped"] is None
    assert [sum(column) for column in zip(*counts(outcome), strict=True)] == [passed, 0]


def test_a_value_is_not_changed_to_one_of_another_kind() -> None:
    examination = RowTest({"setup": (), "test": "l = [1]\nf(l)\nassert l == [1]", "entry_point": "f", "seconds": 5.0})
    operations = examination.advance(())["operations"]
    forged = {"value": None, "changed": [[0, {"dict": []}]]}
    function = {"value": {"object": ["builtins.function", "f"]}}
    answers = [(operation["id"], forged if operation["do"] == "call" else function) for operation in operations]
    assert counts(examination.advance(answers)["outcome"])[0] == (1, 0)


@pytest.mark.parametrize(
    "change", [[["x", 1]], [[5, 1]], [[0]], 7, [[0, {"list": 1}]], None, [[0, {"object": ["a", "b"]}]]], ids=repr
)
def test_a_forged_change_is_the_candidates_failure(change: Any) -> None:
    examination = RowTest({"setup": (), "test": "l = [1]\nassert f(l) == 0", "entry_point": "f", "seconds": 5.0})
    answers = []
    for operation in examination.advance(())["operations"]:
        called = {"value": 1, "changed": change}
        answer = called if operation["do"] == "call" else {"value": {"object": ["builtins.function", "f"]}}
        answers.append((operation["id"], answer))
    step = examination.advance(answers)
    assert counts(step["outcome"]) == [(0, 1)]


def test_types_that_candidates_give_are_built_in_ones() -> None:
    outcome = examined("assert f(1) is int\nassert f([]) == list\nassert f(len) is not int", "f = type")
    assert counts(outcome) == [(1, 0), (1, 0), (1, 0)]
    for named in (["subprocess", "Popen"], ["builtins", "eval"], ["builtins", "x"], ["builtins"], "builtins.int"):
        assert built_in_type(repr(Sent({"named": named}))) is None


VACUOUS = {
    "an assertion of nothing": ("assert True\nassert f(1) == 1", [1, 0]),
    "None is expected": ("assert f(0) is None\nassert f(1) == 1", [1, 0]),
    "falsehood is expected": ("assert not f(2)\nassert f(1) == 1", [1, 0]),
    "now and then in a loop": ("for n in range(4):\n    assert bool(f(n)) == bool(n % 2)", [2]),
    "a method": ("q = f()\nassert f.x is not None\nassert f(1) == 1", [1, 0]),
}


@pytest.mark.parametrize(("test", "vacuous"), VACUOUS.values(), ids=VACUOUS)
def test_what_passes_without_a_candidate_is_vacuous(test: str, vacuous: list[int]) -> None:
    outcome = examined(test, "def f(n=0): return n if n % 2 else None\nf.x = 1")
    assert [place["vacuous"] for place in outcome["checks"]] == vacuous
    assert counts(outcome) == [(4, 0)] if len(vacuous) == 1 else [(1, 0), (1, 0)]


def test_failing_a_vacuous_check_counts() -> None:
    outcome = examined("assert f(0) is None\nassert f(1) == 1", "def f(n): return n")
    assert [(place["passed"], place["failed"], place["vacuous"]) for place in outcome["checks"]] == [
        (0, 1, 0),
        (1, 0, 0),
    ]


def test_a_test_that_never_ends_without_a_candidate_has_no_vacuous_checks_behind() -> None:
    test = "assert f(1) == 1\nwhile f(1) is None:\n    pass\nassert True"
    outcome = examined(test, "def f(n): return n")
    assert [place["vacuous"] for place in outcome["checks"]] == [0, 0]


@pytest.mark.parametrize("name", ["sum", "math", "len"])
def test_a_name_that_the_reference_defines_is_the_candidates(name: str) -> None:
    test = f"assert {name}(1, 2) == 3"
    outcome = examined(test, f"def {name}(a, b): return a + b", entry_point=None, defined=(name,))
    assert counts(outcome) == [(1, 0)]


def test_a_candidate_does_not_replace_what_the_reference_leaves_alone() -> None:
    outcome = examined("assert len(f()) == 1", "def f(): return []\ndef len(x): return 1", entry_point=None)
    assert counts(outcome) == [(0, 1)]


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
    checks = Checks(is_dry_run=False, blames=lambda error: False)
    space: dict[str, Any] = {"__rewardkit__": checks}
    exec(compile(guarded(source), "<test>", "exec"), space)
    assert (space["x"], space["A"].__doc__, checks.made, checks.broken_off) == ([0, 2], "doc", 1, False)
