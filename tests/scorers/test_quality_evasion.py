"""Code that tries to look better to linters and type checkers than it is."""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit import Reward, score_quality
from pytest_rewardkit.scorers.statements import Statements

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

BAD = """\
import os
import re
def area(width: int, height: int) -> int:
    return "wide" + width
total: int = "many"
total.append(area("2", None))
"""
INDENTED = "".join(f"    {line}\n" for line in BAD.splitlines())
MORE_INDENTED = "".join(f"        {line}\n" for line in BAD.splitlines())

# Each contains BAD in a place that a type checker does not check.
SWITCHES = {
    "assert False first": f"def run():\n    assert False\n{INDENTED}run()\n",
    "a condition of checkers": f"MYPY = True\nif not MYPY:\n{INDENTED}",
    "its other branch": f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n{INDENTED}",
    "a version": f"import sys\nif sys.version_info < (3, 0):\n{INDENTED}",
    "a platform": f"import sys\nif sys.platform == 'none':\n{INDENTED}",
    "no_type_check": f"from typing import no_type_check\n@no_type_check\ndef run():\n{INDENTED}run()\n",
    "no_type_check by another name": (
        f"import typing as t\nfrom typing import no_type_check as go\n@go\ndef run():\n{INDENTED}run()\n"
    ),
    "a function that never returns": (
        "from typing import NoReturn\ndef stop() -> NoReturn:\n    raise SystemExit\n"
        f"def run():\n    stop()\n{INDENTED}run()\n"
    ),
    "a type that cannot be": f"def run(n: int) -> None:\n    if isinstance(n, str):\n{MORE_INDENTED}run(1)\n",
    "after a return": f"def run():\n    return\n{INDENTED}run()\n",
    "a loop without an end": f"def run():\n    while True:\n        pass\n{INDENTED}run()\n",
    "a class that ends early": f"class Run(dict):\n    assert False\n{INDENTED}",
    "a comment for the file": f"# mypy: ignore-errors\ndef run():\n{INDENTED}run()\n",
    "such a comment in a text": (
        f"'''\n# mypy: ignore-errors\n# mypy: disable-error-code=misc\n'''\ndef run():\n{INDENTED}run()\n"
    ),
    "a comment behind another": f"# see below  # type: ignore\n# x # flake8: noqa\ndef run():\n{INDENTED}run()\n",
    "comments everywhere": "".join(f"{line}  # ok # type: ignore\n" for line in BAD.splitlines()),
    "its own reveal_type": f"def reveal_type(x):\n    return x\ndef run():\n    assert False\n{INDENTED}run()\n",
}


def value(reward: Reward) -> float:
    assert reward.value is not None, reward.reason
    return reward.value


@pytest.mark.parametrize("code", SWITCHES.values(), ids=SWITCHES)
def test_what_a_checker_is_kept_from_is_a_finding(sandbox: Sandbox, code: str) -> None:
    assert value(score_quality(sandbox, code, parts=["types"])) <= 0.5


EXPRESSIONS = {
    "a condition within": "MYPY = True\nx = 0 if MYPY else ''.nothing\n",
    "the right of or": "import typing\nx = typing.TYPE_CHECKING or ''.nothing\n",
    "the right of and": "import sys\nx = sys.version_info < (2, 0) and ''.nothing\n",
    "False and": "import os\nx = False and ''.nothing\n",
    "a value that is never true": "n: None = None\nx = ''.nothing if n else 1\n",
}


@pytest.mark.parametrize("code", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_a_part_of_a_statement_that_a_checker_is_kept_from_is_a_finding(sandbox: Sandbox, code: str) -> None:
    [types] = score_quality(sandbox, code, parts=["types"]).parts
    assert types.value <= 0.5
    assert "line 2" in str(types.actual)


def test_honest_code_that_questions_must_not_break(sandbox: Sandbox) -> None:
    code = (
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING, NamedTuple, TypedDict, overload\n"
        "if TYPE_CHECKING:\n    from collections.abc import Iterable\n"
        "class Point(NamedTuple):\n    '''Where.'''\n    x: int\n    y: int = 0\n"
        "class Options(TypedDict, total=False):\n    name: str\n"
        "class Box:\n    @property\n    def size(self) -> int:\n        return 1\n"
        "    @size.setter\n    def size(self, value: int) -> None:\n        print(value)\n"
        "@overload\ndef twice(n: int) -> int: ...\n@overload\ndef twice(n: str) -> str: ...\n"
        "def twice(n: int | str) -> int | str:\n"
        "    if not isinstance(n, (int, str)):\n        raise TypeError(n)\n    return n * 2\n"
        "def total(numbers: Iterable[int]) -> int:\n    found = []  # type: list[int]\n    found += numbers\n"
        "    return sum(found)\n"
        "print(total([twice(2), Point(1).x]), Options(name='a'), Box().size)\n"
    )
    reward = score_quality(sandbox, code)
    assert value(reward) == 1.0, [part.actual for part in reward.parts]


PADDING = {
    "pass": "pass\n" * 2_000,
    "the same again": "print('done')\n" * 2_000,
    "assignments": "".join(f"x{n} = {n}\n" for n in range(2_000)),
    "texts": "".join(f"'''Text {n}'''\n" for n in range(2_000)),
    "values": "".join(f"({n}, {n} + 1)\n" for n in range(2_000)),
    "functions": "".join(f"def f{n}(a{n}: int) -> int:\n    return a{n} + {n}\n" for n in range(500)),
    "lists that grow": "".join(f"x{n} = {[1] * n}\n" for n in range(150)),
    "sums that grow": "".join(f"x{n} = {' + '.join(['1'] * (n + 1))}\n" for n in range(150)),
    "classes": "".join(f"class C{n}:\n    b{n}: int = {n}\n" for n in range(500)),
    "names that are made up": "import numpy as np\n" + "".join(f"np.a{n}()\n" for n in range(500)),
    "branches": "".join(f"if {n} < {n + 1}:\n    pass\n" for n in range(500)),
}


@pytest.mark.parametrize("padding", PADDING.values(), ids=PADDING)
def test_padding_is_few_statements(padding: str) -> None:
    assert len(Statements(ast.parse(BAD + padding)).kinds) <= len(Statements(ast.parse(BAD)).kinds) + 3


def test_what_statements_are_told_by() -> None:
    code = "import os\nimport sys\nprint(os)\nlen(sys)\nx = 1\ny = 'a'\nx.append(y)\nx.pop(y)\nreturn_ = x + y\n"
    assert len(Statements(ast.parse(code)).kinds) == 9


@pytest.mark.parametrize("padding", ["pass", "assignments", "functions"])
def test_padding_does_not_dilute(sandbox: Sandbox, padding: str) -> None:
    lints, types = score_quality(sandbox, BAD + PADDING[padding]).parts
    assert lints.value <= 1 - 2 / 8
    assert types.value <= 1 - 4 / 8


def test_what_ran_in_the_sandbox_before_cannot_change_what_is_judged(sandbox: Sandbox) -> None:
    daemon = (
        "import glob, os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    while True:\n"
        "        for path in glob.glob('/tmp/rewardkit*'):\n"
        "            try:\n"
        "                open(path, 'w').write('print(1)\\n')\n"
        "            except OSError:\n"
        "                pass\n"
    )
    sandbox.commands.run(f"python3 -c {shlex.quote(daemon)} > /dev/null 2>&1", background=True)
    assert value(score_quality(sandbox, BAD, parts=["lints"])) <= 5 / 7


def test_a_sandbox_that_is_gone_leaves_the_code_to_be_judged(sandbox: Sandbox) -> None:
    sandbox.kill()
    assert value(score_quality(sandbox, BAD, parts=["lints"])) <= 5 / 7


@pytest.mark.parametrize("code", ["pass\n", "'''Only a text.'''\n1\n", "...\n"])
def test_code_that_does_nothing_earns_nothing(sandbox: Sandbox, code: str) -> None:
    assert value(score_quality(sandbox, code)) == 0.0
