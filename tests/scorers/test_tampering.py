"""Candidates that try to earn more than their answers are worth: none may earn more than an honest failure."""

from __future__ import annotations

import math
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import Case, ChartCheck, FileCheck, score_analysis, score_cases, score_files, score_output

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

# The right answer to f(2) is 4, and its text is "4".
TRICKS = {
    "equal to everything": """
class Equal:
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 0
f = lambda x: Equal()
""",
    "a number that equals everything": """
class Equal(int):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
f = lambda x: Equal(5)
""",
    "a float that calls itself near": """
class Near(float):
    __sub__ = __rsub__ = lambda self, other: 0.0
    __eq__ = lambda self, other: True
    __float__ = lambda self: 4.0
    __pos__ = lambda self: 4.0 if False else 5.0
f = lambda x: Near(5)
""",
    "a list that hides its items": """
class Items(list):
    __iter__ = lambda self: iter(())
    __len__ = lambda self: 0
    __eq__ = lambda self, other: True
f = lambda x: Items([5])
""",
    "pretends to be a number": """
class Pretender:
    __class__ = int
    __module__ = "builtins"
    __index__ = __int__ = lambda self: 5
    __eq__ = lambda self, other: True
Pretender.__name__ = Pretender.__qualname__ = "int"
f = lambda x: Pretender()
""",
    "pretends to be an array": """
class Array:
    __module__ = "numpy"
    def tolist(self):
        return Array()
f = lambda x: Array()
""",
    "patched comparison": """
import builtins, math, operator
builtins.isinstance = lambda *a: True
operator.eq = lambda a, b: True
math.isclose = lambda *a, **k: True
f = lambda x: 5
""",
    "patched json": """
import json
json.dumps = lambda *a, **k: '{"value": true, "texts": ["True"]}'
json.loads = lambda *a, **k: {}
f = lambda x: 5
""",
    "patched repr and str": """
import builtins
builtins.repr = lambda value: "True"
class S(str):
    def __new__(cls, *a): return str.__new__(cls, "True")
builtins.str = S
f = lambda x: 5
""",
    "patched compile": """
import builtins
builtins.compile = lambda *a, **k: "answer = lambda *a: True"
builtins.exec = lambda *a, **k: None
f = lambda x: 5
""",
    "patched display hook": """
import sys
sys.displayhook = lambda value: print("True")
f = lambda x: 5
""",
    "patched interpreter": """
from IPython import get_ipython
shell = get_ipython()
shell.run_cell = lambda *a, **k: True
type(shell).run_cell = lambda *a, **k: True
type(shell).run_code = lambda *a, **k: True
f = lambda x: 5
""",
    "ends well at once": "import sys\nsys.exit(0)",
    "ends the process at once": "import os\nos._exit(0)",
    "ends the process when asked": "import os\nf = lambda x: os._exit(0)",
    "kills its parent": "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    return 5",
    "kills everything": "import os\ndef f(x):\n    os.kill(-1, 9)\n    return 5",
    "prints what looks right": "def f(x):\n    print('True\\nPASSED\\n1.0')",
    "shows an answer of its own": """
from IPython.display import display
class Fake:
    def __init__(self, text): self.text = text
    def __repr__(self): return self.text
def f(x):
    display(Fake('{"value": true, "texts": ["True"]}'))
    return 5
""",
    "finds the nonce and answers for itself": """
import sys
class Fake:
    def __init__(self, text): self.text = text
    def __repr__(self): return self.text
def f(x):
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    nonce = frame.f_locals["nonce"]
    sys.displayhook(Fake(nonce + '{"value": true, "texts": ["True"]}'))
    import os
    sys.stdout.flush()
    os._exit(0)
""",
    "answers malformed": """
import sys
def f(x):
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    globals_ = frame.f_globals
    depth = 100_000
    globals_["json"].dumps = lambda reply: '{"value": ' + "[" * depth + "]" * depth + "}"
    return 5
""",
    "raises itself": "def f(x):\n    raise AssertionError('passed: 4')",
    "never stops": "def f(x):\n    while True: pass",
    "catches every interruption": """
def f(x):
    while True:
        try:
            while True: pass
        except BaseException: pass
""",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_pays_in_a_call(sandbox: Sandbox, trick: str) -> None:
    reward = score_cases(sandbox, TRICKS[trick], [Case(call="f", args=[2], expected=4)], time_limit=1)
    assert reward.value == 0.0
    assert reward.verdict != "passed"


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_pays_in_code(sandbox: Sandbox, trick: str) -> None:
    reward = score_cases(sandbox, TRICKS[trick], [Case(code="f(2)", expected="4")], time_limit=1)
    assert reward.value == 0.0


def test_the_same_cases_can_be_passed(sandbox: Sandbox) -> None:
    """This shows that the tests above do not pass for the wrong reason."""
    cases = [Case(call="f", args=[2], expected=4), Case(code="f(2)", expected="4")]
    assert score_cases(sandbox, "f = lambda x: x * x", cases).value == 1.0


SEARCH = """
import gc, os, re, sys
PATTERN = re.compile("secret-" + "[0-9a-f]{32}")

def texts():
    containers = [item for item in gc.get_objects() if type(item) in (dict, list, tuple, set)]
    for frame in sys._current_frames().values():
        while frame is not None:
            containers += [dict(frame.f_locals), frame.f_code.co_consts]
            frame = frame.f_back
    for container in containers:
        items = [*container, *container.values()] if type(container) is dict else container
        yield from (item for item in tuple(items) if type(item) is str)
    yield from os.environ.values()
    yield from gathered_files()

def gathered_files():
    homes = [*os.walk("/tmp"), *os.walk(os.path.expanduser("~"))]
    # The environment's packages are visible, and old news.
    paths = [os.path.join(folder, name) for folder, _, names in homes if "/lib/" not in folder for name in names]
    try:
        pids = os.listdir("/proc")
    except PermissionError:  # the machine's
        pids = range(1, 1000)
    paths += [f"/proc/{pid}/{name}" for pid in pids for name in ("cmdline", "environ")]
    for path in paths:
        yield path
        try:
            with open(path, errors="replace") as file:
                yield file.read(1_000_000)
        except OSError:
            pass

def search():
    return next((match.group() for text in texts() if (match := PATTERN.search(text))), None)
"""


def test_what_is_expected_is_nowhere_in_the_sandbox(sandbox: Sandbox) -> None:
    secret = f"secret-{secrets.token_hex(16)}"
    cases = [
        Case(call="search", expected=secret),
        Case(code="search()", expected=secret),
        Case(call="search", checker=lambda value: value == secret),
        Case(call="search", expected=None, name="nothing found"),
    ]
    reward = score_cases(sandbox, SEARCH, cases)
    assert [part.value for part in reward.parts] == [0.0, 0.0, 0.0, 1.0]
    assert score_output(sandbox, SEARCH + "print(search())", secret).value == 0.0
    program = SEARCH + "print(search())"
    assert score_cases(sandbox, program, [Case(stdin="", expected=secret)]).value == 0.0


def test_the_search_finds_what_is_there(sandbox: Sandbox) -> None:
    secret = f"secret-{secrets.token_hex(16)}"
    assert score_output(sandbox, f"held = '{secret}'\n" + SEARCH + "print(search())", secret).value == 1.0


def test_a_candidate_finds_nothing_of_an_earlier_one(sandbox: Sandbox) -> None:
    """In a shared sandbox a right candidate must not help the next one."""
    case = Case(call="add", args=[1, 2], expected=3)
    assert score_cases(sandbox, "def add(a, b): return a + b", [case]).value == 1.0
    assert score_cases(sandbox, "x = 1", [case]).value == 0.0
    assert score_cases(sandbox, "add", [case]).value == 0.0


def test_a_thread_that_prints_and_shows_all_the_time(sandbox: Sandbox) -> None:
    candidate = """
import threading
from IPython.display import display
def noise():
    while True:
        print("4")
        display("4")
threading.Thread(target=noise, daemon=True).start()
f = lambda x: 5
"""
    assert score_cases(sandbox, candidate, [Case(call="f", args=[2], expected=4, time_limit=2)]).value == 0.0


@pytest.mark.parametrize(
    "text",
    ["4", "True", "{'a': 4}", "pytest.approx(4)", "<mock.ANY>", "NOT_GIVEN"],
)
def test_the_text_of_a_value_is_not_the_value(sandbox: Sandbox, text: str) -> None:
    assert score_cases(sandbox, f"f = lambda x: {text!r}", [Case(call="f", args=[2], expected=4)]).value == 0.0


def test_raising_by_another_name(sandbox: Sandbox) -> None:
    candidate = """
class ValueErrorish(Exception): pass
def f(x): raise ValueErrorish("bad")
"""
    assert score_cases(sandbox, candidate, [Case(call="f", args=[2], raises=ValueError)]).value == 0.0
    assert score_cases(sandbox, candidate, [Case(call="f", args=[2], raises="Error")]).value == 0.0


TAKES_ALL_PROCESSES = """
import os, signal

def f(): return 1

try:
    while True:
        if os.fork() == 0:
            os.setsid()
            while True:
                signal.pause()
except OSError:
    pass
"""
TAKES_ALL_SPACE = """
import os

block = os.urandom(1_000_000)
number = 0
try:
    while True:
        number += 1
        with open(f"/tmp/filler{number}", "wb") as file:
            for _ in range(20):
                file.write(block)
except OSError:
    pass
"""


@pytest.fixture
def limited_in_all(request: pytest.FixtureRequest) -> None:
    """Skips if a level was requested by name that leaves a sandbox's total files and processes unlimited."""
    level = request.config.getoption("--isolation")
    if level not in ("auto", "strict", "full", "no-procfs"):
        pytest.skip(f"level {level!r} does not limit all files and processes of a sandbox together")


@pytest.mark.usefixtures("limited_in_all")
def test_using_up_the_sandbox_does_not_make_lost_cases_unscored(sandbox: Sandbox) -> None:
    cases = [Case(call="f", args=[], expected=1), Case(call="f", args=[], expected=2)]
    reward = score_cases(sandbox, TAKES_ALL_PROCESSES, cases, fresh=True, time_limit=20)
    assert [part.value for part in reward.parts] == [1.0, 0.0]
    # The second case is lost, whether a process is left for it or not.
    assert reward.parts[1].verdict in ("runtime_error", "wrong_output")


@pytest.mark.usefixtures("limited_in_all")
def test_filling_the_disk_does_not_make_lost_cases_unscored(sandbox: Sandbox) -> None:
    cases = [Case(stdin=b"1", expected="1"), Case(stdin=b"2" * 5_000_000, expected="2")]
    reward = score_cases(sandbox, TAKES_ALL_SPACE, cases, time_limit=20)
    assert [part.verdict for part in reward.parts] == ["wrong_output", "runtime_error"]
    assert "No space left on device" in reward.parts[1].reason


@pytest.mark.usefixtures("limited_in_all")
def test_a_sandbox_that_was_used_up_before_says_nothing_about_the_candidate(sandbox: Sandbox) -> None:
    sandbox.run_code(TAKES_ALL_SPACE)
    reward = score_cases(sandbox, "print(1)", [Case(stdin=b"1" * 5_000_000, expected="1")])
    assert reward.verdict == "unscored"
    assert "No space left on device" in reward.reason


FORGED = """
import json, sys
real = json.dumps
def dumps(value, *args, **kwargs):
    {forgery}
    return real(value, *args, **kwargs)
json.dumps = dumps
"""
GUESSES = [str(number) for number in range(60_000)]
# The candidate controls what the interpreter, or the program's process, says. The forms are those of the protocol
# before and after it had a single place for each answer.
FORGERIES = {
    "a list of texts": """
    if isinstance(value, dict) and "texts" in value:
        value = {**value, "texts": [str(n) for n in range(60_000)]}""",
    "a list in the place of a text": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        value = ["text", [str(n) for n in range(60_000)]]""",
    "more than one text": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        value = ["text", *(str(n) for n in range(60_000))]""",
    "several kinds of answer": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        value = ["value", 1, "text", "59999"]""",
    "an object with a text for each": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        value = ["text", {str(n): str(n) for n in range(60_000)}]""",
    "an object of many fields": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        value = ["value", {"object": ["builtins.str", "59999", {"text": "59999"}]}]""",
    "a text beside the value": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        return '{"0": "value", "1": 1, "text": "59999"}'""",
    "all in one text": """
    if isinstance(value, list) and value[0] in ("text", "value"):
        value = ["text", " ".join(str(n) for n in range(60_000))]""",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_an_answer_holds_one_guess(sandbox: Sandbox, forgery: str) -> None:
    candidate = FORGED.format(forgery=forgery) + "f = lambda: 'x'\n"
    assert score_cases(sandbox, candidate, [Case(code="f()", expected="59999")]).value == 0.0
    assert score_cases(sandbox, candidate, [Case(call="f", expected="59999", compare="lines")]).value == 0.0
    assert score_output(sandbox, candidate + "f()", "59999").value == 0.0
    assert score_output(sandbox, candidate + "f()", "59999", transcript=True).value == 0.0


BUILT_IN = ("ValueError", "KeyError", "TypeError", "ZeroDivisionError", "OSError", "StopIteration", "UnicodeError")
RAISES = {
    "a forged list of types": FORGED.format(
        forgery="""
    names = ["builtins." + name for name in dir(__import__("builtins")) if name.endswith("Error")]
    if isinstance(value, dict) and "raised" in value:
        value["raised"]["types"] = names
    if isinstance(value, list) and value[0] == "raised":
        value[1]["bases"] = value[1]["types"] = names"""
    )
    + "def f(): raise EOFError",
    "a class of all of them": """
class All(EOFError, ValueError, KeyError, TypeError, ZeroDivisionError): pass
def f(): raise All
""",
    "classes of their names": """
kind = EOFError
for name in ("ValueError", "KeyError", "TypeError", "ZeroDivisionError", "OSError", "StopIteration", "UnicodeError"):
    kind = type(name, (kind,), {"__module__": "candidate"})
def f(): raise kind
""",
    "a class with a list of names for its own": """
class Bad(EOFError): pass
Bad.__module__ = "builtins.ValueError builtins"
Bad.__qualname__ = "KeyError"
def f(): raise Bad
""",
}


@pytest.mark.parametrize("candidate", RAISES.values(), ids=RAISES)
def test_an_exception_is_of_one_kind(sandbox: Sandbox, candidate: str) -> None:
    kinds = [ValueError, KeyError, TypeError, ZeroDivisionError, OSError, StopIteration, UnicodeError]
    cases = [Case(call="f", raises=kind, name=kind.__name__) for kind in kinds]
    cases += [Case(call="f", raises=name, name=name) for name in BUILT_IN]
    passed = [part.name for part in score_cases(sandbox, candidate, cases).parts if part.value]
    # A forged list may claim one kind, just as raising that exception would.
    assert len(set(passed)) <= 1


def test_exceptions_of_a_candidates_own_are_what_they_derive_from(sandbox: Sandbox) -> None:
    candidate = """
class AppError(Exception): pass
class NotFound(AppError, KeyError): pass
def f(): raise NotFound("x")
"""
    right = [Case(call="f", raises=name) for name in ("NotFound", "AppError", KeyError, "LookupError", Exception)]
    assert score_cases(sandbox, candidate, right).value == 1.0
    assert score_cases(sandbox, candidate, [Case(call="f", raises=ValueError)]).value == 0.0


BOTH = "class Both({base}):\n    __str__ = lambda self: '4'\n    __repr__ = lambda self: '5'\nf = lambda: {made}"
TWO_FACES = {
    "an object": BOTH.format(base="", made="Both()"),
    "a number": BOTH.format(base="int", made="Both(6)"),
    "a text": BOTH.format(base="str", made="Both('6')"),
    "an exception": BOTH.format(base="Exception", made="Both()"),
    "a class": BOTH.format(base="type", made="Both('C', (), {})"),
    "in a list": BOTH.format(base="list", made="Both([type('C', (), {'__repr__': lambda _: '4'})()])"),
    "in the order of asking": "n = iter('45' * 9)\nclass Both:\n    __str__ = lambda self: next(n)\n"
    "    __repr__ = __str__\nf = lambda: Both()",
    "for a notebook": "class Both:\n    __str__ = lambda self: '4'\n"
    "    _repr_pretty_ = lambda self, p, c: p.text('5')\nf = lambda: Both()",
}


@pytest.mark.parametrize("candidate", TWO_FACES.values(), ids=TWO_FACES)
def test_an_object_has_one_text(sandbox: Sandbox, candidate: str) -> None:
    def paid(**options: Any) -> int:
        return sum(score_output(sandbox, f"{candidate}\nf()", text, **options).value == 1.0 for text in ("4", "5"))

    in_code = [score_cases(sandbox, candidate, [Case(code="f()", expected=text)]).value for text in ("4", "5")]
    assert (sum(value == 1.0 for value in in_code), paid(), paid(transcript=True)) <= (1, 1, 1)


# `f(2)` should be 4, and is an object that says yes to everything.
YES = """
class Yes:
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, *other: True
    __hash__ = lambda self: 0
    __bool__ = lambda self: True
    __len__ = lambda self: 1
    __iter__ = lambda self: iter([self])
    __getattr__ = __call__ = __getitem__ = __sub__ = __rsub__ = __add__ = lambda self, *a: self
    __abs__ = __round__ = __neg__ = lambda self, *a: self
f = lambda *a: {answer}
"""
COMPARISONS = [
    "f(2) == 4",
    "4 == f(2)",
    "f(2) == f(3) - 5 == 4",
    "f(2) == 4 and f(3) == 9",
    "not f(2) != 4 if f(2) == 4 else False",
    "(f(2) == 4) is True",
    "bool(f(2) == 4)",
    "1 < f(2) < 5",
    "4 in f(2)",
    "f(2) in [4]",
    "abs(f(2) - 4) < 1e-9",
    "all(f(n) == n * n for n in range(1, 4))",
    "any([f(2) == 4, f(3) == 9])",
    "result = f(2) == 4",
    "[f(2)] == [4]",
    "{'a': f(2)} == {'a': 4}",
    "sorted([f(2)]) == [4]",
    "assert f(2) == 4\nTrue",
    "x = f(2)\nassert x == 4 and x != 5, 'wrong'\nx == 4",
]


@pytest.mark.parametrize("answer", ["Yes()", "[Yes()]", "(Yes(),)", "{Yes(): Yes()}"])
def test_a_comparison_in_a_cases_code_is_not_the_candidates(sandbox: Sandbox, answer: str) -> None:
    cases = [Case(code=code, expected=expected) for code in COMPARISONS for expected in (True, "True")]
    reward = score_cases(sandbox, YES.replace("{answer}", answer), cases)
    assert [part.name for part in reward.parts if part.value] == []


def test_neither_are_choices_and_what_is_printed(sandbox: Sandbox) -> None:
    cases = [
        Case(code="'right' if f(2) == 4 else 'wrong'", expected="right"),
        Case(code="print(f(2) == 4)", expected="True"),
        Case(code="f(2) == 4, f(3) == 9", expected=(True, True)),
        Case(code="assert f(2) == 4", expected=""),
        Case(code="f(2) == 4", checker=lambda value: value is True),
    ]
    assert score_cases(sandbox, YES.replace("{answer}", "Yes()"), cases).value == 0.0
    assert score_cases(sandbox, "f = lambda x: x * x", cases).value == 1.0


def test_comparisons_of_right_answers_hold(sandbox: Sandbox) -> None:
    candidate = """
import numpy, collections, decimal
f = lambda x: x * x
items = lambda n: (i for i in range(n))
array = lambda: numpy.array([1, 2])
class Money:
    def __init__(self, amount): self.amount = amount
    def __eq__(self, other): return self.amount == getattr(other, "amount", other)
    def __add__(self, other): return Money(self.amount + other.amount)
    def __contains__(self, item): return item == self.amount
    def __lt__(self, other): return self.amount < getattr(other, "amount", other)
    __hash__ = None
class Node:
    left = None
"""
    codes = [
        *COMPARISONS[:2],
        "f(2) == 4 != f(3)",
        *COMPARISONS[3:8],
        "f(2) in [4]",
        "abs(f(0.1) - 0.01) < 1e-9",
        *COMPARISONS[11:14],
        "[f(2)] == [4]",
        "assert f(2) == 4\nTrue",
        "x = f(2)\nassert x == 4 and x != 5, 'wrong'\nx == 4",
        "3 in items(5) and 9 not in items(5)",
        "numpy.float64(2.0) == 2",
        "decimal.Decimal('0.5') == 0.5",
        "Money(5) == Money(5)",
        "Money(5) == 5",
        "wallet = Money(2) + Money(3)\n5 in wallet and wallet < 6",
        "Money(2) + Money(3) == Money(5)",
        "[Money(1), Money(2)] == [Money(1), Money(2)]",
        "not Money(1) == Money(2)",
        "Node().left is None and Node() is not None and Node() != None",
        "type(f(2)) == int and type(f(2)) is int",
        "collections.Counter('aab') == {'a': 2, 'b': 1}",
        "list(range(600_000)) == list(range(600_000))",
        "'a' < 'b' <= 'b'",
        "{1, 2} <= {1, 2, 3}",
        "f'{f(2)}' == '4'",
        "(y := f(2)) == 4 and y > 3",
        "f(2) == 5 or f(2) == 4",
        "all([f(2) == 4, f(3) == 9])",
        "x = y = f(2) == 4",
    ]
    reward = score_cases(sandbox, candidate, [Case(code=code, expected=True) for code in codes])
    assert [(part.name, part.reason) for part in reward.parts if not part.value] == []
    cases = [
        Case(code="array() == numpy.array([1, 3])", expected=[True, False]),
        Case(code="array() > 1", expected=[False, True]),
        Case(code="f(2) and f(0) == 0 and f(3)", expected=9),
        Case(code="f(0) or f(3) == 8", expected=False),
        Case(code="f(2) == 5", expected=False),
        Case(code="f(2) == 4 == undefined", raises=NameError),
        Case(code="f(2) == 5 == undefined", expected=False),
        Case(code="assert f(2) == 5, 'no'", raises=AssertionError),
        Case(code="same = f(2) == 4", expected=True),
        Case(code="same", expected=True),
    ]
    reward = score_cases(sandbox, candidate, cases)
    assert [(part.name, part.reason) for part in reward.parts if not part.value] == []


# These made scorers raise, so that their tests dropped out of the figures; each is a wrong answer.
ODD_VALUES = """
from decimal import Decimal
from fractions import Fraction
import collections, datetime
Point = collections.namedtuple("Point", "x y")
VALUES = [
    Decimal("sNaN"), [Decimal("-sNaN7")], {"a": Decimal("sNaN")}, Point(Decimal("sNaN"), 1), Decimal("1e999999"),
    Fraction(10**400, 7), complex("nan"), {float("nan")}, 10**5000, {10**5000: 1}, datetime.datetime.max, range(10**30),
    float("-inf"), "9" * 5000, "[" * 9000, b"\\xff", ..., object(), type("N", (), {}),
    collections.Counter({"a": 10**400}),
]
def f(n): return VALUES[n]
"""


def test_odd_values_are_wrong_answers(sandbox: Sandbox) -> None:
    expectations: list[dict[str, Any]] = [
        *({"expected": value} for value in (5, 0.5, [5], {"a": 5}, {5}, (5,), None, "5", Decimal(5), pytest.approx(5))),
        *({"expected": value, "compare": "json"} for value in ([5], {"a": 5})),
        *({"checker": checker} for checker in (lambda v: v * 0 + math.nan, lambda v: v > 10**9 and 7, float)),
        {"expected": "5", "compare": "tokens"},
    ]
    cases = [Case(call="f", args=[n], **asked) for n in range(20) for asked in expectations]
    cases += [Case(code=f"f({n})", expected=value) for n in range(20) for value in ("5", 5, [5])]
    cases += [Case(code=f"f({n}) == 5 or 5 in [f({n})]", expected=True) for n in range(20)]
    reward = score_cases(sandbox, ODD_VALUES, cases)
    assert [(part.name, part.value) for part in reward.parts if part.value != 0.0] == []
    for number in (0, 4, 8):
        assert score_output(sandbox, f"{ODD_VALUES}\nf({number})", 5).value == 0.0


DISPLAYED = """
from IPython.display import display
class Chart:
    def __init__(self, data): self.data = data
    def _repr_png_(self): return "iVBORw0KGgo="
    def _repr_e2b_chart_(self): return self.data
inf = float("inf")
display(Chart({data}))
"""
ODD_CHARTS = [
    "dict(type='pie', title='t', elements=[dict(label='a', angle=1e308), dict(label='b', angle=1e308)])",
    "dict(type='pie', title='t', elements=[dict(label='a', angle=-inf), dict(label='b', angle=inf)])",
    "dict(type='bar', title='t', elements=[dict(label='a', group='g', value=10**400)])",
    "dict(type='bar', title='t', elements=[dict(label=['a'], group={}, value=[1])])",
    "dict(type=['bar'], title={}, elements=[1])",
    "dict(type='superchart', title='t', elements=[dict(type='superchart', elements=[{}])])",
    "dict(type='line', title='t', x_scale='?', elements=[dict(label='a', points=[(inf, 10**400), (1, 2, 3)])])",
    "[1, 2]",
    "'x'",
]


@pytest.mark.parametrize("data", ODD_CHARTS)
def test_odd_charts_are_wrong_answers(sandbox: Sandbox, data: str) -> None:
    charts = [
        ChartCheck(type="pie", values=[1, 3]),
        ChartCheck(type="bar", values={"a": 1}),
        ChartCheck(type="line", values=[(1, 2)], title="x"),
        ChartCheck(values=[[1], [2]]),
    ]
    reward = score_analysis(sandbox, DISPLAYED.replace("{data}", data), charts=charts)
    assert reward.value is not None
    assert all(part.value is not None and part.value < 1 for part in reward.parts)


ODD_FILES = {
    "folders in folders with long names": "import os\nfor _ in range(25): os.mkdir('d' * 200); os.chdir('d' * 200)",
    "folders in folders": "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')",
    "names that are no text": "import os\nos.mkdir(b'\\xff')\nopen(b'\\xff/\\x01\\n', 'w').write('5')",
    "links in a circle": "import os\nos.symlink('b', 'out.txt'); os.symlink('out.txt', 'b'); os.mkfifo('out.csv')",
    "a nest of brackets": "open('out.txt', 'w').write('[' * 100_000); open('out.csv', 'w').write('\"' * 99_999)",
    "odd times": "import os\nopen('out.txt', 'w').write('x')\nos.utime('out.txt', (-1, -2**40))\n"
    "os.utime('.', (0, 2**33))",
    "a folder in its place": "import os\nos.makedirs('out.txt/x'); os.chmod('out.txt', 0)",
}


@pytest.mark.parametrize("candidate", ODD_FILES.values(), ids=ODD_FILES)
def test_odd_files_are_wrong_answers(sandbox: Sandbox, candidate: str) -> None:
    files = [
        *(FileCheck(path="out.txt", content=content) for content in ("5", 5, [5], b"5", {"a": 5})),
        FileCheck(path="out.csv", content=[["5"]]),
        FileCheck(path="**/*.txt", content="5", compare="value"),
    ]
    assert score_files(sandbox, candidate, files).value == 0.0
