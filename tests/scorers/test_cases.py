"""Cases, end to end in a real sandbox: each kind, each verdict, and the cost of a case."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_rewardkit import Case, Reward, RewardkitUsageError, score_cases

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

ADD = "def add(a, b=0):\n    return a + b\n"


def verdicts(reward: Reward) -> list[str]:
    return [str(part.verdict) for part in reward.parts]


def passes(sandbox: Sandbox, candidate: str, *cases: Case, **options: Any) -> list[bool]:
    return [part.value == 1.0 for part in score_cases(sandbox, candidate, cases, **options).parts]


class TestCode:
    def test_value_or_else_what_was_printed(self, sandbox: Sandbox) -> None:
        cases = [
            Case(code="add(2, 3)", expected="5"),
            Case(code="add(2, 3)", expected=5),
            Case(code="result = add(2, 3)", expected="5"),
            Case(code="x, y = add(1, 1), 7", expected=(2, 7)),
            Case(code="x += 1", expected="3"),
            Case(code="print(add(2, 3))", expected="5"),
            Case(code="print(add(2, 3))", expected=5),
            Case(code="for i in range(3): print(add(i))", expected="0\n1\n2"),
            Case(code="add('a', 'b')", expected="ab"),
            Case(code="add('a', 'b')", expected="'ab'"),
            Case(code="list(range(100))", expected=str(list(range(100)))),
            Case(code="print('debug')\nadd(2, 3)", expected="5"),
            Case(code="None", expected=None),
            Case(code="None", expected="None"),
            Case(code="None", expected=""),
        ]
        assert passes(sandbox, ADD, *cases) == [True] * len(cases)

    def test_what_is_wrong(self, sandbox: Sandbox) -> None:
        cases = [
            Case(code="add(2, 3)", expected="6"),
            Case(code="add(2, 3)", expected=""),
            Case(code="add('5')", expected=5),
            Case(code="print('5 apples')", expected=5),
            Case(code="print(5)\nadd(2, 4)", expected="5"),
        ]
        reward = score_cases(sandbox, "def add(a, b=0):\n    return a if b == 0 else a + b", cases)
        assert verdicts(reward) == ["wrong_output"] * len(cases)

    def test_cases_share_state_in_order_unless_they_are_fresh(self, sandbox: Sandbox) -> None:
        candidate = "items = []\ndef push(x):\n    items.append(x)\n    return len(items)\n"
        cases = [Case(call="push", args=["a"], expected=1), Case(call="push", args=["b"], expected=1)]
        assert passes(sandbox, candidate, *cases) == [True, False]
        assert passes(sandbox, candidate, *cases, fresh=True) == [True, True]


class TestCall:
    def test_values_in_and_out(self, sandbox: Sandbox) -> None:
        values: list[Any] = [
            None,
            True,
            10**40,
            -2.5,
            float("inf"),
            float("nan"),
            1 + 2j,
            "ünïcødé \u2028 'quoted' \"twice\" ''' \\ \n\x00\ud800",
            b"\x00\xff",
            (1, (2, [3])),
            {"a": [1], 2: ("b",), None: {}},
            {1, 2},
            frozenset("ab"),
        ]
        cases = [Case(call="f", args=[value], kwargs={"twice": False}, expected=value) for value in values]
        candidate = "def f(value, twice=True):\n    return (value, value) if twice else value\n"
        assert passes(sandbox, candidate, *cases) == [True] * len(cases)

    def test_any_expression_may_be_called(self, sandbox: Sandbox) -> None:
        candidate = "class Solution:\n    def add(self, a, b):\n        return a + b\nadd = {'+': Solution().add}\n"
        cases = [
            Case(call="Solution().add", args=[1, 2], expected=3),
            Case(call="add['+']", args=[1, 2], expected=3),
            Case(call="lambda *a: Solution().add(*a)", args=[1, 2], expected=3),
        ]
        assert passes(sandbox, candidate, *cases) == [True] * 3

    def test_debug_output_and_lost_streams_do_not_disturb(self, sandbox: Sandbox) -> None:
        candidate = """
import io, sys
def f(x):
    print("debug", x)
    sys.stderr.write("more\\n")
    sys.stdout = io.StringIO()
    return x + 1
"""
        assert passes(sandbox, candidate, *[Case(call="f", args=[i], expected=i + 1) for i in range(3)]) == [True] * 3

    def test_built_in_names_may_be_taken(self, sandbox: Sandbox) -> None:
        """Candidates name their variables `list`, `input` or `json`; that is bad style, not a wrong answer."""
        candidate = """
list = dict = str = repr = type = isinstance = print = exec = eval = compile = globals = json = encode = None
answer = display = input = sum = len = tuple = set = int = float = getattr = None
def f(x): return [x, (x, {x: 1})]
"""
        cases = [Case(call="f", args=[1], expected=[1, (1, {1: 1})]), Case(code="f(1)", expected="[1, (1, {1: 1})]")]
        assert passes(sandbox, candidate, *cases) == [True, True]

    def test_a_coroutine_function(self, sandbox: Sandbox) -> None:
        candidate = "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1\n"
        cases = [
            Case(call="f", args=[1], expected=2),
            Case(code="await f(1)", expected=2),
            Case(code="a = await f(1)\nb = await f(a)\nassert await f(b) == 4\n(a, b)", expected=(2, 3)),
        ]
        assert passes(sandbox, candidate, *cases) == [True, True, True]

    def test_numpy_and_other_classes(self, sandbox: Sandbox) -> None:
        candidate = """
import collections, numpy
Point = collections.namedtuple("Point", "x y")
def mean(items): return numpy.mean(items)
def table(): return numpy.arange(4).reshape(2, 2)
def count(text): return collections.Counter(text)
def point(): return Point(1, 2)
class Thing: pass
def thing(): return Thing()
"""
        cases = [
            Case(call="mean", args=[[1, 2]], expected=1.5),
            Case(call="table", expected=[[0, 1], [2, 3]]),
            Case(call="count", args=["aab"], expected={"a": 2, "b": 1}),
            Case(call="point", expected=(1, 2)),
            Case(call="thing", checker=lambda value: value.type_name.endswith("Thing")),
        ]
        assert passes(sandbox, candidate, *cases) == [True] * 5

    def test_text_is_a_value_too(self, sandbox: Sandbox) -> None:
        cases = [Case(call="str", args=[5], expected="5"), Case(call="int", args=["5"], expected="5")]
        reward = score_cases(sandbox, "x = 1", cases)
        assert verdicts(reward) == ["passed", "wrong_output"]
        assert reward.parts[1].reason == "expected the str '5', got 5"

    def test_a_value_that_is_too_large(self, sandbox: Sandbox) -> None:
        candidate = "many = lambda: list(range(10**6))\nlong = lambda: '\\U0001f600' * 3_000_000\nafter = lambda: 1"
        cases = [Case(call=name, expected=1) for name in ("many", "long", "after")]
        many, long, after = score_cases(sandbox, candidate, cases).parts
        assert "too large to be taken out" in many.reason
        assert "too large to be taken out" in long.reason
        assert after.value == 1.0

    def test_a_value_that_is_almost_too_large(self, sandbox: Sandbox) -> None:
        text = '\\"é' * 300_000
        cases = [
            Case(call="f", args=[text], expected=text),
            Case(call="f", args=[[7] * 400_000], expected=[7] * 400_000),
        ]
        assert passes(sandbox, "f = lambda x: x", *cases) == [True, True]


class TestStdin:
    def test_a_program_with_real_input(self, sandbox: Sandbox) -> None:
        candidate = """
import sys
data = sys.stdin.buffer.read()
print(sum(map(int, data.split())))
sys.exit(0)
print("not reached")
"""
        cases = [
            Case(stdin="1 2\n3", expected="6"),
            Case(stdin=b"4 5", expected=9),
            Case(stdin="", expected="0\n"),
        ]
        assert passes(sandbox, candidate, *cases) == [True] * 3

    @pytest.mark.parametrize(
        "reading", ["input()", "sys.stdin.readline()", "open(0).read()", "next(iter(sys.stdin))", "sys.stdin.read()"]
    )
    def test_ways_of_reading(self, sandbox: Sandbox, reading: str) -> None:
        assert passes(
            sandbox, f"import sys\nprint({reading}.strip()[::-1])", Case(stdin="ab'''\"\n", expected="\"'''ba")
        )

    def test_verdicts(self, sandbox: Sandbox) -> None:
        candidate = """
import os, sys
kind = input()
if kind == "raise": raise ValueError(kind)
if kind == "status": sys.exit(3)
if kind == "loop":
    while True: pass
if kind == "memory": x = [0] * 10**11
if kind == "signal": os.kill(os.getpid(), 9)
if kind == "eval": eval("1 +")
print("wrong")
"""
        kinds = ["raise", "status", "loop", "memory", "signal", "eval", "print"]
        cases = [Case(stdin=kind, expected="right", time_limit=3) for kind in kinds]
        reward = score_cases(sandbox, candidate, cases)
        assert verdicts(reward) == [
            "runtime_error",
            "runtime_error",
            "timeout",
            "memory",
            "runtime_error",
            "runtime_error",
            "wrong_output",
        ]
        assert reward.parts[0].reason == "ValueError: raise"
        assert "Traceback" in str(reward.parts[0].stderr)
        assert reward.parts[1].reason == "the program ended with status 3"

    def test_a_program_that_does_not_compile(self, sandbox: Sandbox) -> None:
        reward = score_cases(sandbox, "```python\nprint((\n```", [Case(stdin="", expected="")])
        assert verdicts(reward) == ["compile_error"]

    def test_each_case_is_a_process_of_its_own_and_leaves_no_program_behind(self, sandbox: Sandbox) -> None:
        candidate = "import os\nprint(os.getpid())"
        reward = score_cases(
            sandbox, candidate, [Case(stdin="", checker=lambda text: text.strip().isdigit()) for _ in range(2)]
        )
        assert reward.value == 1.0
        assert sandbox.commands.run("ls /tmp | grep -c candidate- || true").stdout.strip() == "0"

    def test_files_of_the_test_are_found(self, sandbox: Sandbox) -> None:
        sandbox.files.write("helper.py", "VALUE = 42\n")
        sandbox.files.write("data.txt", "hello")
        candidate = "import helper\nprint(helper.VALUE, open('data.txt').read())"
        assert passes(sandbox, candidate, Case(stdin="", expected="42 hello")) == [True]


class TestRaises:
    CANDIDATE = """
class TooCold(ValueError): pass
def f(x):
    if x < 0: raise TooCold(f"{x} is below zero")
    if x == 0: raise SystemExit(1)
    return x
"""

    def test_by_class_by_name_and_by_base(self, sandbox: Sandbox) -> None:
        cases = [
            Case(call="f", args=[-1], raises=ValueError),
            Case(call="f", args=[-1], raises="TooCold"),
            Case(code="f(-1)", raises="ValueError", match="below"),
            Case(code="f(-1)", raises="builtins.ValueError"),
            Case(call="f", args=[0], raises=SystemExit),
        ]
        assert passes(sandbox, self.CANDIDATE, *cases) == [True] * 5

    def test_what_is_wrong(self, sandbox: Sandbox) -> None:
        cases = [
            Case(call="f", args=[-1], raises=KeyError),
            Case(call="f", args=[1], raises=ValueError),
            Case(call="f", args=[-1], raises=ValueError, match="^below"),
            Case(call="g", raises=ValueError),
        ]
        reward = score_cases(sandbox, self.CANDIDATE, cases)
        assert verdicts(reward) == ["runtime_error", "wrong_output", "wrong_output", "runtime_error"]
        assert reward.parts[1].reason == "expected ValueError, nothing was raised"
        assert "got NameError" in reward.parts[3].reason


class TestChecker:
    def test_truth_and_partial_credit(self, sandbox: Sandbox) -> None:
        cases = [
            Case(call="add", args=[1, 2], checker=lambda value: value > 2),
            Case(call="add", args=[1, 2], checker=lambda value: value / 4),
            Case(code="print(add(1, 2))", checker=lambda text: text == "3\n"),
            Case(call="add", args=[1, 2], checker=lambda value: value["missing"]),
        ]
        reward = score_cases(sandbox, ADD, cases)
        assert [part.value for part in reward.parts] == [1.0, 0.75, 1.0, 0.0]
        assert verdicts(reward) == ["passed", "partial", "passed", "wrong_output"]
        assert reward.parts[3].reason.startswith("the checker raised TypeError")

    @pytest.mark.parametrize("result", [2, -0.1, float("nan"), "yes", None])
    def test_a_checker_gives_a_number_in_range(self, sandbox: Sandbox, result: Any) -> None:
        """A checker may return anything for a candidate's value; that must not end the test."""
        reward = score_cases(sandbox, ADD, [Case(call="add", args=[1, 2], checker=lambda _: result)])
        assert reward.value == 0.0
        assert "the checker must return true or false, or a number" in reward.parts[0].reason


class TestWhatACaseMayCost:
    CANDIDATE = """
import os, sys
served = 0
def f(x):
    global served
    served += 1
    if x == "raise": raise ValueError(x)
    if x == "exit": sys.exit(0)
    if x == "die": os._exit(0)
    if x == "loop":
        while True: pass
    if x == "memory": return [0] * 10**11
    if x == "flood":
        line = "x" * 9999
        for _ in range(10**4): print(line)
    return x
"""
    KINDS: ClassVar = {
        "raise": "runtime_error",
        "exit": "runtime_error",
        "die": "runtime_error",
        "loop": "timeout",
        "memory": "memory",
        "ok": "passed",
    }

    def test_only_itself(self, sandbox: Sandbox) -> None:
        cases = [Case(call="f", args=[kind], expected=kind, time_limit=3) for kind in self.KINDS]
        reward = score_cases(sandbox, self.CANDIDATE, cases)
        assert verdicts(reward) == list(self.KINDS.values())
        assert reward.value == pytest.approx(1 / 6)

    def test_in_every_order_the_same(self, sandbox: Sandbox) -> None:
        for kinds in itertools.islice(itertools.permutations(["die", "ok", "raise", "loop"]), 0, 24, 7):
            cases = [Case(call="f", args=[kind], expected=kind, time_limit=2, weight=2) for kind in kinds]
            reward = score_cases(sandbox, self.CANDIDATE, cases)
            assert verdicts(reward) == [self.KINDS[kind] for kind in kinds]
            assert reward.value == 0.25

    def test_a_hundred_megabytes_of_output(self, sandbox: Sandbox) -> None:
        cases = [Case(call="f", args=["flood"], expected="flood"), Case(call="f", args=["ok"], expected="ok")]
        reward = score_cases(sandbox, self.CANDIDATE, cases, time_limit=20)
        assert reward.parts[1].value == 1.0
        assert all(len(text or "") <= 4000 for text in (reward.parts[0].actual, reward.parts[0].stderr))

    @pytest.mark.parametrize(
        ("candidate", "verdict"),
        [
            ("def f(:", "compile_error"),
            ("  x = 1\n y = 2\nprint(x)", "compile_error"),
            ("eval('1 +')", "runtime_error"),
            ("1 / 0", "runtime_error"),
            ("import os; os._exit(0)", "runtime_error"),
            ("while True: pass", "timeout"),
            ("x = [0] * 10**11", "memory"),
            ("I am sorry, I cannot do that.", "no_code"),
            ("", "no_code"),
        ],
    )
    def test_a_candidate_that_fails_by_itself_fails_in_every_case(
        self, sandbox: Sandbox, candidate: str, verdict: str
    ) -> None:
        cases = [Case(call="len", args=[[1]], expected=1), Case(code="1 + 1", expected="2")]
        reward = score_cases(sandbox, candidate, cases, time_limit=3)
        assert (reward.value, reward.verdict) == (0.0, verdict)
        assert verdicts(reward) == [verdict, verdict]

    def test_memory_that_is_really_used(self, sandbox: Sandbox) -> None:
        candidate = "held = []\ndef f(x):\n    while x: held.append(bytearray(10**7))\n    return x"
        cases = [Case(call="f", args=[1], expected=1), Case(call="f", args=[0], expected=0)]
        assert verdicts(score_cases(sandbox, candidate, cases)) == ["memory", "passed"]


class TestOptions:
    def test_setup_runs_before_the_candidate(self, sandbox: Sandbox) -> None:
        cases = [Case(call="area", args=[2], expected=12)]
        assert passes(sandbox, "def area(r): return PI * r * r", *cases, setup="PI = 3") == [True]

    def test_a_setup_that_fails_is_the_tests_mistake(self, sandbox: Sandbox) -> None:
        with pytest.raises(RewardkitUsageError, match="the setup failed: NameError: name 'PY' is not defined"):
            score_cases(sandbox, ADD, [Case(call="add", args=[1], expected=1)], setup="PY")

    def test_a_candidate_cannot_blame_the_setup(self, sandbox: Sandbox) -> None:
        """Files that the candidate leaves may break the setup when it runs again."""
        candidate = "import os\nopen('fractions_of.py', 'w').write('1 / 0')\ndef f(x):\n    os._exit(0)"
        setup = "try:\n    import fractions_of\nexcept ImportError:\n    pass"
        cases = [Case(call="f", args=[1], expected=1)] * 2
        assert verdicts(score_cases(sandbox, candidate, cases, setup=setup)) == ["runtime_error"] * 2

    def test_comparison_for_all_and_for_one(self, sandbox: Sandbox) -> None:
        cases = [
            Case(code="print('1.0   2')", expected="1 2"),
            Case(code="print('1.0   2')", expected="1 2", compare="lines"),
            Case(call="float", args=["1.2"], expected=1.0),
        ]
        assert passes(sandbox, ADD, *cases, compare="tokens") == [True, False, False]
        assert passes(sandbox, ADD, *cases, compare="tokens", rel_tol=0.5) == [True, False, True]

    def test_partial_credit_by_similarity(self, sandbox: Sandbox) -> None:
        cases = [
            Case(code="print('the cat sat')", expected="the cat sat down"),
            Case(call="str", args=["the cat sat"], expected="the cat sat down"),
        ]
        reward = score_cases(sandbox, ADD, cases, similarity="words")
        assert [part.value for part in reward.parts] == [0.75, 0.75]
        assert verdicts(reward) == ["partial", "partial"]
        assert score_cases(sandbox, ADD, cases).value == 0.0

    def test_weights(self, sandbox: Sandbox) -> None:
        cases = [Case(call="add", args=[1, 2], expected=3, weight=3), Case(call="add", args=[1, 2], expected=4)]
        assert score_cases(sandbox, ADD, cases).value == 0.75

    def test_time_limits_by_a_reference(self, sandbox: Sandbox) -> None:
        """The reference needs half a second, so the candidate may take four times as long, whatever the limit."""
        slow = "import time\ndef f(x):\n    time.sleep({})\n    return x"
        cases = [Case(call="f", args=[1], expected=1)]
        options = {"time_limit": 0.3, "reference": slow.format(0.5)}
        assert verdicts(score_cases(sandbox, slow.format(0.8), cases, time_limit=0.3)) == ["timeout"]
        assert verdicts(score_cases(sandbox, slow.format(0.8), cases, **options)) == ["passed"]
        assert verdicts(score_cases(sandbox, slow.format(30), cases, **options)) == ["timeout"]

    def test_a_reference_that_fails_is_the_tests_mistake(self, sandbox: Sandbox) -> None:
        with pytest.raises(RewardkitUsageError, match=r"the reference fails case 'add\(1\)'"):
            score_cases(sandbox, ADD, [Case(call="add", args=[1], expected=1)], reference="1 / 0")

    def test_the_asked_function_is_found_among_several_blocks(self, sandbox: Sandbox) -> None:
        response = (
            "```python\ndef add(a, b): return a - b\n```\nNo:\n```python\n" + ADD + "```\n```python\nadd(x, 1)\n```"
        )
        reward = score_cases(sandbox, response, [Case(call="add", args=[1, 2], expected=3)])
        assert reward.value == 1.0
        assert reward.reason == "code judged: code block 2 of 3"


class TestInfrastructure:
    def test_only_the_sdks_own_sandbox_will_do(self) -> None:
        from e2b_code_interpreter import AsyncSandbox

        for sandbox in (object(), AsyncSandbox.__new__(AsyncSandbox)):
            with pytest.raises(RewardkitUsageError, match=r"must be a Sandbox|not an asynchronous one"):
                score_cases(sandbox, ADD, [Case(call="add", args=[1], expected=1)])  # type: ignore[arg-type]

    def test_a_sandbox_that_is_gone_is_unscored(self, sandbox: Sandbox) -> None:
        sandbox.kill()
        for cases in ([Case(call="add", args=[1], expected=1)], [Case(stdin="", expected="")]):
            reward = score_cases(sandbox, ADD, cases)
            assert (reward.value, reward.verdict) == (None, "unscored")
            assert "sandbox" in reward.reason

    def test_the_callers_own_interpreter_is_left_alone(self, sandbox: Sandbox) -> None:
        sandbox.run_code("mine = 1")
        before = {context.id for context in sandbox.list_code_contexts()}
        cases = [Case(code="mine", expected="1"), Case(call="exit", expected=1)]
        assert score_cases(sandbox, "x = 1", cases).value == 0.0
        assert sandbox.run_code("mine").text == "1"
        assert {context.id for context in sandbox.list_code_contexts()} == before


class TestFailureTexts:
    def test_a_part_shows_what_a_reader_needs(self, sandbox: Sandbox) -> None:
        candidate = "def f(x):\n    if x == 0: raise ValueError('zero')\n    return [1, 2, x]"
        cases = [
            Case(call="f", args=[3], expected=[1, 5, 3]),
            Case(call="f", args=[0], expected=[1, 2, 0]),
            Case(code="print('one\\ntwo')", expected="one\nTwo"),
        ]
        wrong, raising, text = score_cases(sandbox, candidate, cases).parts
        assert (wrong.reason, wrong.expected, wrong.actual) == ("at [1]: expected 5, got 2", "[1, 5, 3]", "[1, 2, 3]")
        assert raising.reason == raising.actual == "ValueError: zero"
        assert str(raising.stderr).splitlines()[-1] == "ValueError: zero"
        assert "rewardkit" not in str(raising.stderr)
        assert text.reason.splitlines()[0] == "line 2 differs:"
        assert all(part.duration is not None for part in (wrong, raising, text))

    def test_nothing_that_a_terminal_acts_on(self, sandbox: Sandbox) -> None:
        candidate = (
            "def f(x):\n    import sys\n    sys.stderr.write('\\x1b[2J')\n    raise ValueError('\\x1b[31m\\u202e')"
        )
        cases = [Case(call="f", args=[1], expected=1), Case(code="print('\\x1b[2J\\x07')", expected="x")]
        for part in score_cases(sandbox, candidate, cases).parts:
            for shown in (part.name, part.reason, part.expected, part.actual, part.stderr):
                assert not set(shown or "") & set("\x1b\x07\u202e")


class TestLongNumbers:
    SQUARE = "print(int(input()) ** 2)"

    def test_of_a_program(self, sandbox: Sandbox) -> None:
        given, wanted = "1" + "0" * 5000, "1" + "0" * 10_000
        for expected in (wanted, 10**10_000):
            assert score_cases(sandbox, self.SQUARE, [Case(stdin=given, expected=expected)]).value == 1.0
        assert score_cases(sandbox, self.SQUARE, [Case(stdin=given, expected=10**10_000 + 1)]).value == 0.0

    def test_of_a_function(self, sandbox: Sandbox) -> None:
        candidate = "def square(n): return n * n\ndef digits(n): return str(n)"
        cases = [
            Case(call="square", args=[10**5000], expected=10**10_000),
            Case(call="digits", args=[10**5000], expected="1" + "0" * 5000),
            Case(code="square(10**5000)", expected="1" + "0" * 10_000),
        ]
        assert score_cases(sandbox, candidate, cases).value == 1.0


def test_names_that_a_candidate_finds_given(sandbox: Sandbox) -> None:
    candidate = "class Solution:\n    def first(self, items): return deque(items).popleft()"
    case = Case(call="Solution().first", args=[[3, 4]], expected=3)
    assert score_cases(sandbox, candidate, [case]).value == 0.0
    assert score_cases(sandbox, candidate, [case], setup="from collections import *").value == 1.0


KINDS = """
import collections, dataclasses, enum, pathlib
import numpy as np, pandas as pd

@dataclasses.dataclass
class Point:
    x: int
    y: int

class Colour(enum.Enum):
    RED = 1

def point(): return [Point(1, 2), Colour.RED]
def recent(items): return collections.deque(items, maxlen=2)
def totals(table): return table.groupby("k")["v"].sum()
def doubled(array): return array * 2
def parent(path): return path.parent
def lazily(): return (n for n in range(3))
"""


@dataclass
class Point:
    x: int
    y: int


class Colour(Enum):
    RED = 1


def test_values_of_many_types(sandbox: Sandbox) -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    table = pd.DataFrame({"k": ["b", "a", "b"], "v": [1, 2, 3]})
    cases = [
        Case(call="point", expected=[Point(1, 2), Colour.RED]),
        Case(call="recent", args=[[1, 2, 3]], expected=deque([2, 3])),
        Case(call="totals", args=[table], expected=pd.Series([2, 4], index=["a", "b"])),
        Case(call="doubled", args=[np.array([1, 2])], expected=[2, 4]),
        Case(call="parent", args=[Path("a/b")], expected=Path("a")),
        Case(code="list(lazily())", expected=[0, 1, 2]),
    ]
    wrong = [
        Case(call="point", expected=[Point(1, 3), Colour.RED]),
        Case(call="totals", args=[table], expected=pd.Series([2, 4], index=["b", "a"])),
        Case(call="lazily", expected=[0, 1, 2]),
    ]
    assert passes(sandbox, KINDS, *cases, *wrong) == [True] * 6 + [False] * 3
