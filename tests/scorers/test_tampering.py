"""Candidates that try to earn more than their answers are worth: none may earn more than an honest failure."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit import Case, score_cases, score_output

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

# The right answer to f(2) is 4, and the text "4" of it.
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
    """So that the tests above do not hold for the wrong reason."""
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
    """Skips where a level was asked for by name that leaves a sandbox's files and processes unlimited in all."""
    level = request.config.getoption("--isolation")
    if level not in ("auto", "strict", "full", "no-procfs"):
        pytest.skip(f"level {level!r} does not limit all files and processes of a sandbox together")


@pytest.mark.usefixtures("limited_in_all")
def test_using_up_the_sandbox_does_not_make_lost_cases_unscored(sandbox: Sandbox) -> None:
    cases = [Case(call="f", args=[], expected=1), Case(call="f", args=[], expected=2)]
    reward = score_cases(sandbox, TAKES_ALL_PROCESSES, cases, fresh=True, time_limit=20)
    assert [part.value for part in reward.parts] == [1.0, 0.0]
    # Whether there is a process left for the second case or not, it is lost.
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
