"""A candidate runs as what it is: a program if its output or files count, a module if it is called."""

# ruff: noqa: E501 - tables of programs

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import Case, FileCheck, RewardkitUsageError, score_cases, score_files, score_output

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

PROGRAMS = {
    "returns from main": "def main():\n    print('hi')\n    return 0\nmain()",
    "main guard": "def main(): print('hi')\nif __name__ == '__main__':\n    main()",
    "exits with what main returns": "import sys\ndef main(): print('hi')\nif __name__ == '__main__': sys.exit(main())",
    "sys.exit(0)": "import sys\nprint('hi')\nsys.exit(0)\nprint('not reached')",
    "sys.exit()": "import sys\nprint('hi')\nsys.exit()",
    "exit()": "print('hi')\nexit()\nprint('not reached')",
    "quit(0)": "print('hi')\nquit(0)",
    "raise SystemExit": "print('hi')\nraise SystemExit",
    "exit in a function": "import sys\ndef f():\n    print('hi')\n    sys.exit(False)\nf()",
    "write": "import sys\nsys.stdout.write('hi\\n')",
    "write bytes": "import sys\nsys.stdout.buffer.write(b'hi\\n')\nsys.stdout.flush()",
    "descriptor": "import os\nos.write(1, b'hi\\n')",
    "pop": "xs = [1, 2]\nprint('hi')\nxs.pop()",
    "a plot": "import matplotlib.pyplot as plt\nprint('hi')\nplt.plot([1, 2])",
    "list of prints": "[print(c, end='') for c in 'hi']",
    "asyncio.run": "import asyncio\nasync def m(): print('hi')\nasyncio.run(m())",
    "a loop of its own": (
        "import asyncio\nasync def m(): print('hi')\n"
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(m())\nloop.close()"
    ),
    "await": "import asyncio\nawait asyncio.sleep(0)\nprint('hi')",
    "await for a value": "import asyncio\nasync def m(): return 'hi'\nawait m()",
    "async for": "async def m():\n    yield 'hi'\nasync for x in m():\n    print(x)",
    "thread": "import threading, time\ndef f():\n    time.sleep(0.3)\n    print('hi')\nthreading.Thread(target=f).start()",
    "timer": "import threading\nthreading.Timer(0.2, lambda: print('hi')).start()",
    "pool": "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor().submit(print, 'hi')",
    "atexit": "import atexit\natexit.register(print, 'hi')",
    "atexit as decorator": "from atexit import register\n@register\ndef end(): print('hi')",
    "finalizer": "class C:\n    def __del__(self): print('hi')\nc = C()",
    "processes": (
        "import multiprocessing\ndef f(x): return x * 2\n"
        "if __name__ == '__main__':\n    with multiprocessing.Pool(2) as pool: print(['', 'hi'][sum(pool.map(f, [0, 0, 1])) // 2])"
    ),
    "spawned processes": (
        "import multiprocessing\ndef f(x): return x + 'i'\n"
        "if __name__ == '__main__':\n    context = multiprocessing.get_context('spawn')\n"
        "    with context.Pool(1) as pool: print(pool.apply(f, ['h']))"
    ),
    "fork": "import os\nif os.fork() == 0:\n    print('hi')\nelse:\n    os.wait()",
    "arguments": "import sys\nprint('hi' if len(sys.argv) == 1 else 'no')",
    "argparse": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--n', default='hi')\nprint(p.parse_args().n)",
    "its place": "import os\nprint('hi' if os.path.dirname(os.path.abspath(__file__)) == os.getcwd() else __file__)",
    "nothing to read": "try:\n    input()\nexcept EOFError:\n    print('hi')",
    "reads nothing": "import sys\nprint('hi' + sys.stdin.read())",
    "pickle": "import pickle\nclass C: pass\nprint(['', 'hi'][isinstance(pickle.loads(pickle.dumps(C())), C)])",
    "its own source": "import inspect\ndef hi(): pass\nprint(inspect.getsource(hi)[4:6])",
    "future import": '"""Doc."""\nfrom __future__ import annotations\nprint("hi")',
    "data class": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass C:\n    x: str\nprint(C('hi').x)"
    ),
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n    def test(self): print('hi')\n"
        "if __name__ == '__main__': unittest.main()"
    ),
    "logging": "import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(message)s')\nlogging.warning('hi')",
    "a child that stays": "import subprocess\nsubprocess.Popen(['sleep', '60'])\nprint('hi')",
    "new stdout": "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')\nprint('hi')",
    "a hook for exceptions": "import sys\nsys.excepthook = lambda *_: None\nprint('hi')",
    "magics": "%matplotlib inline\n!echo hi",
    "a display": "display('hi')",
    "comment after": "print('hi')\n# the end",
    "byte order mark": "\ufeffprint('hi')",
    "an error in a thread": "import threading\nprint('hi')\nthreading.Thread(target=lambda: 1 / 0).start()",
    "alone in its folder": "import os\nprint('hi' if os.listdir() == [] else os.listdir())",
}


@pytest.mark.parametrize("candidate", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_ends_well(sandbox: Sandbox, candidate: str) -> None:
    reward = score_output(sandbox, candidate, "'hi'" if "display" in candidate else "hi")
    assert reward.value == 1.0, (reward.reason, reward.parts[0].stderr)


@pytest.mark.parametrize(
    ("candidate", "verdict", "reason"),
    [
        ("print('hi')\nimport sys\nsys.exit(3)", "runtime_error", "the program ended with status 3"),
        ("print('hi')\nimport sys\nsys.exit('no such file')", "runtime_error", "no such file"),
        ("print('hi')\nraise SystemExit(True)", "runtime_error", "the program ended with status 1"),
        ("print('hi')\n1 / 0", "runtime_error", "ZeroDivisionError: division by zero"),
        ("print('hi')\nawait 5", "runtime_error", "TypeError: "),
        ("print('hi')\nimport os\nos.abort()", "runtime_error", ""),
        ("print('hi')\neval('(')", "runtime_error", "SyntaxError"),
        ("print('hi')\nreturn 1", "compile_error", "SyntaxError: 'return' outside function"),
        ("print('hi'\n", "compile_error", "SyntaxError: '(' was never closed"),
        ("def f():\nprint('hi')\nf()", "compile_error", "IndentationError"),
        ("print('hi')\n\x00", "compile_error", "null bytes"),
        (f"print('hi')\nx = {'(' * 5000}1{')' * 5000}", "compile_error", "SyntaxError"),
        (
            "print('hi')\nimport threading\nthreading.Thread(target=threading.Event().wait).start()",
            "timeout",
            "longer than",
        ),
        ("import threading\nthreading.Thread(target=print, args=['hi'], daemon=True)", "wrong_output", ""),
    ],
)
def test_a_program_that_does_not(sandbox: Sandbox, candidate: str, verdict: str, reason: str) -> None:
    reward = score_output(sandbox, candidate, "hi", time_limit=3)
    assert (reward.value, reward.verdict) == (0.0, verdict)
    assert reason in reward.parts[0].reason
    for text in (reward.parts[0].stderr or "", reward.parts[0].reason):
        assert "launcher" not in text
        assert "rewardkit" not in text


@pytest.mark.parametrize(
    "writing",
    [
        "f = open('o.txt', 'w')\nf.write('hi')",
        "f = open('o.txt', 'w')\nprint('hi', end='', file=f)\nimport sys\nsys.exit()",
        "def main():\n    f = open('o.txt', 'w')\n    f.write('hi')\n    return 0\nif __name__ == '__main__':\n    main()",
        "import csv\nw = csv.writer(open('o.txt', 'w'), lineterminator='')\nw.writerow(['hi'])",
        "import threading\nthreading.Timer(0.2, lambda: open('o.txt', 'w').write('hi')).start()",
        "import atexit\nfrom pathlib import Path\natexit.register(lambda: Path('o.txt').write_text('hi'))",
        "import asyncio\nfrom pathlib import Path\nasync def m(): Path('o.txt').write_text('hi')\nasyncio.run(m())",
        "import os\nos.chdir(os.path.dirname(os.path.abspath(__file__)))\nopen('o.txt', 'w').write('hi')",
        "import logging\nlogging.basicConfig(filename='o.txt', format='%(message)s')\nlogging.error('hi')",
    ],
)
def test_files_that_a_program_leaves(sandbox: Sandbox, writing: str) -> None:
    reward = score_files(sandbox, writing, [FileCheck(path="o.txt", content="hi")], nothing_else=True)
    assert reward.value == 1.0, reward.parts


ADD = "def add(a, b):\n    return a + b\n"
MODULES = {
    "exits under its guard": ADD + "import sys\nif __name__ == '__main__':\n    sys.exit(0)\n",
    "fails under its guard": ADD + "if __name__ == '__main__':\n    raise ValueError\n",
    "reads under its guard": ADD + "if __name__ == '__main__':\n    print(add(int(input()), 1))\n",
    "tests under its guard": ADD + "import unittest\nif __name__ == '__main__':\n    unittest.main()\n",
    "exits at its end": ADD + "import sys\nprint(add(1, 2))\nsys.exit(0)\n",
    "exits with a status": ADD + "import sys\nif len(sys.argv) < 2:\n    print('usage')\n    exit(1)\n",
    "runs a loop within": "import asyncio\nasync def g(a, b): return a + b\ndef add(a, b): return asyncio.run(g(a, b))\n",
    "runs a loop of its own": (
        "import asyncio\nasync def g(a, b): return a + b\n"
        "def add(a, b): return asyncio.new_event_loop().run_until_complete(g(a, b))\n"
    ),
    "is asynchronous": "async def add(a, b): return a + b\n",
    "gets a loop within": (
        "import asyncio, sys\nasync def g(a, b): return a + b\n"
        "def add(a, b):\n"
        "    if sys.version_info >= (3, 14): return a + b  # there it gives none\n"
        "    return asyncio.get_event_loop().run_until_complete(g(a, b))\n"
    ),
    "raises the limit of recursion": (
        "import sys\nsys.setrecursionlimit(20_000)\n"
        "def down(n): return n and down(n - 1)\ndef add(a, b): return a + b + down(9_000)\n"
    ),
    "runs a loop when it is loaded": ADD + "import asyncio\nasync def demo(): print(add(1, 2))\nasyncio.run(demo())\n",
    "awaits when it is loaded": ADD + "import asyncio\nawait asyncio.sleep(0)\n",
    "knows its file": ADD + "import os\nHERE = os.path.dirname(os.path.abspath(__file__))\n",
    "pickles": "import pickle\nclass N:\n    def __init__(self, n): self.n = n\n"
    "def add(a, b): return pickle.loads(pickle.dumps(N(a))).n + b\n",
    "data class": "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    "@dataclass\nclass N:\n    n: int\ndef add(a: int, b: int): return N(a).n + b\n",
    "resolves hints": "from __future__ import annotations\nimport typing\nclass N:\n    n: M\nclass M: pass\n"
    "def add(a, b): return a + b if typing.get_type_hints(N) == {'n': M} else None\n",
    "magics": "%matplotlib inline\n!true\n" + ADD,
    "a cell's magic": "%%time\n" + ADD,
    "deep": "def depth(n): return n if n == 0 else 1 + depth(n - 1)\ndef add(a, b): return depth(950) - 950 + a + b\n",
    "takes warnings for errors": "import asyncio, warnings\nwarnings.simplefilter('error')\nasync def g(a, b): return a + b\n"
    "def add(a, b): return asyncio.run(g(a, b))\n",
    "threads": "from concurrent.futures import ThreadPoolExecutor\n"
    "def add(a, b):\n    with ThreadPoolExecutor() as pool: return pool.submit(int.__add__, a, b).result()\n",
}


@pytest.mark.parametrize("candidate", MODULES.values(), ids=MODULES)
def test_a_module_whose_functions_are_called(sandbox: Sandbox, candidate: str) -> None:
    cases = [Case(call="add", args=[2, 3], expected=5), Case(code="add(2, 3)", expected="5")]
    reward = score_cases(sandbox, candidate, cases)
    assert reward.value == 1.0, [(part.reason, part.stderr) for part in reward.parts]


@pytest.mark.parametrize(
    ("candidate", "verdict", "reason"),
    [
        ("1 / 0\n" + ADD, "runtime_error", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(0)\n" + ADD, "runtime_error", "NameError: name 'add' is not defined"),
        ("if __name__ == '__main__':\n    " + ADD.replace("\n", "\n    "), "runtime_error", "NameError"),
        ("def add(a, b:\n", "compile_error", "SyntaxError"),
        ("def add(a, b): return '\ud83d'", "compile_error", "surrogates not allowed"),
    ],
)
def test_a_module_that_cannot_be_called(sandbox: Sandbox, candidate: str, verdict: str, reason: str) -> None:
    (part,) = score_cases(sandbox, candidate, [Case(call="add", args=[2, 3], expected=5)]).parts
    assert (part.value, part.verdict) == (0.0, verdict)
    assert reason in part.reason
    assert "rewardkit" not in (part.stderr or "")


def test_what_loading_raises_is_not_what_a_call_raises(sandbox: Sandbox) -> None:
    case = Case(call="f", raises=ValueError)
    assert score_cases(sandbox, "raise ValueError", [case]).value == 0.0
    assert score_cases(sandbox, "def f(): raise ValueError", [case]).value == 1.0


def test_stdin_cases_have_the_value_too_where_nothing_is_printed(sandbox: Sandbox) -> None:
    cases = [Case(stdin="2\n", expected="4"), Case(stdin="3\n", expected=6)]
    for candidate in (
        "2 * int(input())",
        "n = int(input())\nprint(2 * n)\nn",
        "import asyncio\nn = await asyncio.to_thread(input)\nprint(2 * int(n))",
        "if __name__ == '__main__':\n    print(2 * int(input()))",
    ):
        assert score_cases(sandbox, candidate, cases).value == 1.0


class TestSetup:
    def test_it_runs_among_the_same_names(self, sandbox: Sandbox) -> None:
        setup = "import math\nprint('noise')\nbase = 2\nfrom pathlib import Path\nPath('in.txt').write_text('7')"
        candidate = "print(math.floor(base * 1.7) + int(open('in.txt').read()))"
        assert score_output(sandbox, candidate, "10", setup=setup).value == 1.0
        assert score_output(sandbox, candidate, "10", setup=setup, transcript=True).value == 1.0
        assert score_cases(sandbox, candidate, [Case(stdin="", expected="10")], setup=setup).value == 1.0
        assert score_cases(sandbox, "def f(): return base", [Case(call="f", expected=2)], setup=setup).value == 1.0

    def test_what_it_does_to_files_is_not_the_candidates(self, sandbox: Sandbox) -> None:
        setup = "open('in.txt', 'w').write('7')"
        checks = [FileCheck(path="in.txt", type="unchanged"), FileCheck(path="out.txt", type="create", content="7")]
        candidate = "open('out.txt', 'w').write(open('in.txt').read())"
        assert score_files(sandbox, candidate, checks, setup=setup, nothing_else=True).value == 1.0

    @pytest.mark.parametrize("setup", ["1 / 0", "(", "import os\nos._exit(0)", "import sys\nsys.exit()"])
    def test_one_that_fails_is_the_tests_mistake(self, sandbox: Sandbox, setup: str) -> None:
        calls: list[Any] = [
            lambda: score_output(sandbox, "print(1)", "1", setup=setup),
            lambda: score_files(sandbox, "x = 1", [FileCheck(path="a.txt")], setup=setup),
        ]
        for call in calls:
            with pytest.raises(RewardkitUsageError, match="the setup failed"):
                call()

    def test_its_time_is_not_the_candidates(self, sandbox: Sandbox) -> None:
        assert score_output(sandbox, "print(1)", "1", setup="import time\ntime.sleep(1.2)", time_limit=1.5).value == 1.0


def test_a_candidate_cannot_pretend_to_have_printed_nothing(sandbox: Sandbox) -> None:
    candidate = textwrap.dedent("""
        import sys
        nonce = sys.orig_argv[-1]
        print("wrong")
        print(nonce + '{"value": "right", "texts": ["right", "right"]}')
    """)
    assert score_output(sandbox, candidate, "right").value == 0.0
