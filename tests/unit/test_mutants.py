"""Mutants: each has one readable change, never in a place that nothing checks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_rewardkit
from pytest_rewardkit.selfcheck.mutants import LENGTH_LIMIT, mutants_of, with_stop_line


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("a + b", {"a - b", "a * b"}),
        ("(a)  # b - c\n- (b)" and "((a)  # b - c\n- (b))", {"((a)  # b - c\n+ (b))"}),
        ("a ** b", {"a * b"}),
        ("a += b", {"a -= b", "a *= b"}),
        ("a < b <= c", {"a <= b <= c", "a < b < c"}),
        ("a not  in b", {"a in b"}),
        ("a is not b", {"a is b"}),
        ("a and b and c", {"a or b and c", "a and b or c"}),
        ("f(not (a or b))", {"f( (a or b))", "f(not (a and b))", "pass"}),
        ("x = -y", {"x = y", "x = None"}),
        ("x = y = 1", {"x = y = None", "x = y = 2"}),
        ("a, b = c, d", set()),
        ("True", {"False"}),
        ("1.5", {"2.5"}),
        ("x['é']", {"x['XXéXX']"}),
        ("for x in y:\n    continue", {"for x in []:\n    continue", "for x in y:\n    break"}),
        ("while f(x):\n    break", {"while not f(x):\n    break", "while f(x):\n    continue"}),
        ("if x:\n    y.sort()", {"if not x:\n    y.sort()", "if x:\n    pass"}),
        ("def f():\n    return x", {"def f():\n    return None"}),
        ("def f():\n    return None", set()),
        ("def f(x: int = 1) -> 'X':\n    'Text.'", {"def f(x: int = 2) -> 'X':\n    'Text.'"}),
        ("x: list[1] = y", set()),
        (
            "raise E('text', 1 + n)",
            {"pass", "raise E('text', 1 - n)", "raise E('text', 1 * n)", "raise E('text', 2 + n)"},
        ),
        ("f'{a + b}'", set()),
        ("'''Text.'''", set()),
        ("(x if y else z)", {"(x if not y else z)"}),
        ("[x for x in y if x]", {"[x for x in y if not x]"}),
        ("x = [1,\r\n     2]", {"x = [2,\r\n     2]", "x = [1,\r\n     3]", "x = None"}),
    ],
)
def test_changes(source: str, mutated: set[str]) -> None:
    assert {mutant.code for mutant in mutants_of(source)} == mutated


def test_a_mutant_says_what_changed() -> None:
    first, *_ = mutants_of("def f(n):\n    if (n <\n            2):\n        return 1\n")
    assert first.code == "def f(n):\n    if (n <=\n            2):\n        return 1\n"
    assert (first.line, first.before, first.after) == (2, "    if (n <", "    if (n <=")
    assert first.change == "line 2: if (n < -> if (n <="


def test_no_python_and_too_much_of_it() -> None:
    with pytest.raises(SyntaxError):
        mutants_of("function f() { return 1 }")
    with pytest.raises(SyntaxError):
        mutants_of("-" * 100_000 + "1")
    assert mutants_of("x = 1 + 1\n" * (LENGTH_LIMIT // 9)) == []


SOURCES = sorted(Path(pytest_rewardkit.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES[:: len(SOURCES) // 12], ids=lambda path: path.name)
def test_every_mutant_of_real_code_differs_and_can_be_read(path: Path) -> None:
    source = path.read_text("utf-8")
    mutants = mutants_of(source)
    codes = [mutant.code for mutant in mutants]
    assert len(set(codes)) == len(codes)
    assert source not in codes
    for mutant in mutants[::5]:
        ast.parse(mutant.code)
        assert mutant.before != mutant.after
        assert mutant.after in mutant.code
    assert [mutant.line for mutant in mutants] == sorted(mutant.line for mutant in mutants)


@given(st.text(alphabet="abfx=+-*/%<>!~()[]{}:,.'\"\\\n #01é if not in and or is", max_size=60))
def test_any_text_has_mutants_or_is_refused(source: str) -> None:
    try:
        mutants = mutants_of(source)
    except SyntaxError:
        return
    for mutant in mutants:
        ast.parse(mutant.code)


@pytest.mark.parametrize("head", ["", '"""Text."""\n', '"""Text."""\nfrom __future__ import annotations\n'])
def test_a_stop_line_ends_what_runs_for_ever(head: str) -> None:
    code = with_stop_line(f"{head}x = 1\nprint(x, flush=True)\nwhile True:\n    pass\n", 0.3)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode < 0
    assert ended.stdout == "1\n"


def test_a_stop_line_changes_nothing_else() -> None:
    code = with_stop_line('"""Text."""\nprint(__doc__)\n', 60)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "Text.\n")
