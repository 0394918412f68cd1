"""No trick of a candidate earns more from test code than an honest failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from benchmark_rows import BIGCODE, HELPERS, MBPP_SANITIZED, PLUS_LARGE, PLUS_TABLE, Example

from pytest_rewardkit.datasets.formats import find_format
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.score import score_row
from pytest_rewardkit.reward import Verdict

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
    from pytest_rewardkit.reward import Reward


def scored(
    sandbox: Sandbox, test_runner: TestRunner, example: Example, candidate: str, time_limit: float | None = None
) -> Reward:
    row = Row(example.row, id="x", place="here", format=find_format(example.format))
    return score_row(sandbox, row, candidate, test_runner=test_runner, time_limit=time_limit)


EQUAL_TO_ALL = """
class Equal(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __len__(self): return 10**6
    def __bool__(self): return True
    @property
    def __class__(self): return str
"""

# Each defines what the row asks for, and returns a wrong answer.
TRICKS = {
    "a value that equals everything": EQUAL_TO_ALL + "\ndef {name}(*a, **k): return Equal('x')",
    "an object that equals everything": EQUAL_TO_ALL.replace("(str)", "") + "\ndef {name}(*a, **k): return Equal()",
    "a list of such": EQUAL_TO_ALL + "\ndef {name}(*a, **k): return [Equal('x')] * 4",
    "a patched built-in": (
        "import builtins\nfor n in ('abs', 'all', 'any', 'len', 'isinstance', 'zip', 'set', 'tuple', 'enumerate'):\n"
        "    setattr(builtins, n, lambda *a, **k: True)\ndef {name}(*a, **k): return 'x'"
    ),
    "a patched numpy": (
        "import numpy, numpy.testing\nnumpy.allclose = numpy.testing.assert_allclose = lambda *a, **k: True\n"
        "def {name}(*a, **k): return [7.0]"
    ),
    "a disarmed AssertionError": (
        "import builtins\nbuiltins.AssertionError = type('Quiet', (BaseException,), dict(__init__=lambda *a: None))\n"
        "def {name}(*a, **k): return 'x'"
    ),
    "a check of its own": (
        "def check(candidate): return True\ndef assertion(*a): return True\ndef {name}(*a): return 'x'"
    ),
    "a trace function that jumps": (
        "import sys\nsys.settrace(lambda frame, event, arg: None)\ndef {name}(*a, **k):\n"
        "    f = sys._getframe()\n    while f.f_back: f = f.f_back\n    return 'x'"
    ),
    "an early exit": "import os\ndef {name}(*a, **k): os._exit(0)",
    "an exit while loading": "import sys\nsys.exit(0)",
    "an exit handler": "import atexit, os\natexit.register(os._exit, 0)\ndef {name}(*a, **k): raise SystemExit(0)",
    "answers written by hand": (
        "import glob, json\ndef {name}(*a, **k):\n    for path in glob.glob('/tmp/rewardkit-*'):\n"
        "        with open(path, 'w') as file:\n            file.write('{{\"loaded\": true}}\\n' * 500)\n    return 'x'"
    ),
    "folders in the place of our files": (
        "import glob, os\ndef {name}(*a, **k):\n    for path in glob.glob('/tmp/*'):\n"
        "        if os.path.isfile(path): os.unlink(path); os.mkdir(path)\n    return 'x'"
    ),
    "folders as it is loaded": (
        "import glob, os\nfor path in glob.glob('/tmp/*'):\n"
        "    if os.path.isfile(path): os.unlink(path); os.mkdir(path)\ndef {name}(*a, **k): return 'x'"
    ),
    "links in the place of our files": (
        "import glob, os\ndef {name}(*a, **k):\n    for path in glob.glob('/tmp/*'):\n"
        "        if os.path.isfile(path): os.unlink(path); os.symlink(path, path)\n    return 'x'"
    ),
    "a nest of brackets in every file": (
        "import os\ndef write():\n    for number in range(3, 64):\n        try:\n"
        "            os.ftruncate(number, 0)\n            os.pwrite(number, b'[' * 100_000 + b'\\n', 0)\n"
        "        except OSError: pass\nwrite()\ndef {name}(*a, **k):\n    write()\n    os._exit(0)"
    ),
    "a nest of objects for an answer": (
        "import os\ndef {name}(*a, **k):\n    for number in range(3, 64):\n        try:\n"
        "            os.write(number, b'{{\"value\":' * 100_000 + b'\\n')\n"
        "        except OSError: pass\n    return 'x'"
    ),
    "an answer of several kinds": (
        "import json\nreal = json.dumps\ndef dumps(value, *a, **k):\n"
        "    if isinstance(value, dict) and 'value' in value:\n"
        "        return real({{**value, 'large': [], 'of': [], 'raised': None, 'timeout': 1}})\n"
        "    return real(value, *a, **k)\njson.dumps = dumps\ndef {name}(*a, **k): return 'x'"
    ),
    "not a number that raises": (
        "from decimal import Decimal\ndef {name}(*a, **k): return [Decimal('sNaN'), Decimal('-Infinity')]"
    ),
    "outcomes written by hand": (
        "import json, sys\n"
        "print(json.dumps({{'outcome': {{'checks': [], 'made': 9, 'planned': 9, 'stopped': None}}}}))\n"
        "def {name}(*a, **k):\n    sys.__stdout__.write('passed 1.0 ' * 99)\n    return 'x'"
    ),
    "a runner of its own": (
        "import sys\nfor n, m in list(sys.modules.items()):\n    if 'rewardkit' in n:\n"
        "        for k in ('digest', 'encode'):\n            setattr(m, k, lambda *a, **k: '0' * 64)\n"
        "def {name}(*a, **k): return 'x'"
    ),
    "a forged digest": (
        "import sys\nfor n, m in list(sys.modules.items()):\n    if n.endswith('operation_runner'):\n"
        "        m.digest = lambda *a, **k: '0' * 64\ndef {name}(*a, **k): return [1.0] * 4"
    ),
    "a generator without an end": "def {name}(*a, **k):\n    while True: yield 0",
    "values that collide": "def {name}(*a, **k): return {{i * (2**61 - 1) for i in range(3000)}}",
    "a value that contains itself": "def {name}(*a, **k):\n    x = []\n    x.append(x)\n    return x",
    "a value nested deep": "def {name}(*a, **k):\n    x = []\n    for _ in range(100000): x = [x]\n    return x",
    "a huge value": "def {name}(*a, **k): return 'x' * 50_000_000",
    "an exception of the test's": "def {name}(*a, **k): raise ImportError('numpy')",
    "an exception that is no exception": "def {name}(*a, **k): raise KeyboardInterrupt",
    "a deaf loop": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ndef {name}(*a, **k): return 'x'\n"
        "signal.setitimer = lambda *a: None"
    ),
}


@pytest.mark.parametrize("example", [HELPERS, PLUS_TABLE], ids=lambda example: example.name)
@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_no_trick_pays(sandbox: Sandbox, test_runner: TestRunner, example: Example, trick: str) -> None:
    candidate = trick.format(name=example.row["entry_point"])
    reward = scored(sandbox, test_runner, example, candidate, time_limit=1)
    assert reward.value == 0.0
    # Those that ran into the sandbox's limits have not made the infrastructure fail.
    assert reward.verdict is not Verdict.UNSCORED
    right = scored(sandbox, test_runner, example, example.row["canonical_solution"])
    assert right.value == 1.0


def test_a_digest_is_no_answer(sandbox: Sandbox, test_runner: TestRunner) -> None:
    candidate = (
        "import sys\nfor n, m in list(sys.modules.items()):\n    if n.endswith('operation_runner'):\n"
        "        m.digest = lambda *a, **k: '0' * 64\ndef halves(n): return [0.0] * n"
    )
    assert scored(sandbox, test_runner, PLUS_LARGE, candidate).value == 0.0


def test_names_that_a_test_takes_from_the_candidate_are_not_run_with_the_test(
    sandbox: Sandbox, test_runner: TestRunner
) -> None:
    candidate = (
        "words = found = pairs = area = counts = eval\n"
        "math = set = list = lambda *a, **k: True\n"
        "def isclose(*a, **k): return True"
    )
    assert scored(sandbox, test_runner, MBPP_SANITIZED, candidate).value == 0.0


@pytest.mark.parametrize(
    "trick",
    [
        "import unittest\nunittest.TestCase.assertEqual = lambda *a: None",
        "import unittest.case\nunittest.case.TestCase.run = lambda self, result: setattr(result, 'testsRun', 1)",
        "import unittest\nunittest.TestCase.assertEqual.__code__ = (lambda *a, **k: 0).__code__",
        "import unittest.mock\nunittest.mock.NonCallableMock.assert_called_once_with = lambda *a, **k: None",
        "import builtins\nbuiltins.isinstance = lambda *a: True",
        "import unittest\nunittest.TestResult.addFailure = lambda *a: None",
        "class TestCases: pass",
        "import glob, os\nfor path in glob.glob('/tmp/*'):\n"
        "    if os.path.isfile(path): os.unlink(path); os.mkdir(path)",
        "import os\nfor n in range(3, 64):\n    try: os.ftruncate(n, 0); os.pwrite(n, b'[' * 100_000 + b'\\n', 0)\n"
        "    except OSError: pass\nos._exit(0)",
        'import os\nfor n in range(3, 64):\n    try: os.write(n, b\'{"name":[],"type":{},"missing":1}\\n\' * 9)\n'
        "    except OSError: pass",
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
    ],
)
def test_what_unit_tests_rely_on_is_watched(sandbox: Sandbox, test_runner: TestRunner, trick: str) -> None:
    candidate = (
        f"import pandas as pd\n{trick}\ndef task_func(n, path='n.txt'):\n    return pd.DataFrame({{'n': [0]}})\n"
    )
    assert scored(sandbox, test_runner, BIGCODE, candidate, time_limit=10).value == 0.0


def test_what_is_replaced_while_unit_tests_run_is_found_after_the_test(
    sandbox: Sandbox, test_runner: TestRunner
) -> None:
    candidate = (
        "import unittest\ndef task_func(n, path='n.txt'):\n"
        "    unittest.TestCase.assertEqual = unittest.TestCase.fail = lambda *a: None\n"
        "    return {'n': pd.Series([0])}\n"
    )
    reward = scored(sandbox, test_runner, BIGCODE, candidate)
    assert reward.value == 0.0
    assert "the candidate replaced unittest.case.TestCase." in reward.parts[0].reason


# Each takes what the row asks for from `candidate`, in a way that lets an exception end a loop without a trace.
LOOPS = {
    "map": "    for one, other in zip(map(candidate, [0, 1, 2]), [0, 2, 4]):\n        assert one == other\n",
    "a list of map": "    for n, one in enumerate(list(map(candidate, [0, 1, 2]))):\n        assert one == 2 * n\n",
    "iter with an end": (
        "    numbers = iter([0, 1, 2, 3])\n"
        "    for n, one in enumerate(iter(lambda: candidate(next(numbers)), 6)):\n        assert one == 2 * n\n"
    ),
    "an iterator of the test's": (
        "    class Each:\n        n = -1\n        def __iter__(self): return self\n"
        "        def __next__(self):\n            self.n += 1\n            if self.n == 3:\n"
        "                raise StopIteration\n            return candidate(self.n)\n"
        "    for n, one in enumerate(Each()):\n        assert one == 2 * n\n"
    ),
    "a sequence of the test's": (
        "    class Each:\n        def __getitem__(self, n): return candidate([0, 1, 2][n])\n"
        "    for n, one in enumerate(Each()):\n        assert one == 2 * n\n"
    ),
    "an asynchronous iterator": (
        "    import asyncio\n    class Each:\n        n = -1\n        def __aiter__(self): return self\n"
        "        async def __anext__(self):\n            self.n += 1\n            if self.n == 3:\n"
        "                raise StopAsyncIteration\n            return candidate(self.n)\n"
        "    async def run():\n        n = 0\n        async for one in Each():\n            assert one == 2 * n\n"
        "            n += 1\n    asyncio.run(run())\n"
    ),
}
ENDS = ["StopIteration", "StopAsyncIteration", "IndexError", "GeneratorExit", "type('End', (StopIteration,), {})"]


def of_test(name: str, body: str, test: str) -> Example:
    prompt = f'def {name}(n):\n    """It."""\n'
    return Example(
        name, "humaneval", {"prompt": prompt, "entry_point": name, "canonical_solution": body, "test": test}, ""
    )


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_an_exception_of_the_candidate_ends_no_loop_as_if_all_were_well(
    sandbox: Sandbox, test_runner: TestRunner, loop: str
) -> None:
    example = of_test("double", "    return 2 * n\n", f"def check(candidate):\n{loop}")
    assert scored(sandbox, test_runner, example, "def double(n): return n + n").value == 1.0
    for end in ENDS:
        candidate = f"def double(n):\n    if n: raise {end}\n    return 0\n"
        reward = scored(sandbox, test_runner, example, candidate)
        assert reward.value is not None
        assert reward.value <= 0.5, end


@pytest.mark.parametrize("end", ["IndexError", "StopIteration", "AttributeError"])
def test_an_object_whose_length_and_items_differ_ends_no_loop(
    sandbox: Sandbox, test_runner: TestRunner, end: str
) -> None:
    test = (
        "def check(candidate):\n    assert len(candidate(3)) == 3\n"
        "    for n, one in enumerate(reversed(candidate(3))):\n        assert n == one\n"
    )
    example = of_test("down", "    return list(range(n))[::-1]\n", test)
    candidate = (
        f"class Items:\n    def __len__(self): return 3\n    def __iter__(self): raise {end}\n"
        "def down(n): return Items()\n"
    )
    assert scored(sandbox, test_runner, example, "def down(n): return [i for i in range(n - 1, -1, -1)]").value == 1.0
    reward = scored(sandbox, test_runner, example, candidate)
    assert reward.value is not None
    assert reward.value <= 0.5
