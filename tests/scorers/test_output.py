"""The output scorer, end to end: the printed output or, without any, the value of the last expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import RewardkitUsageError, score_output

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ("print(5)", "5"),
        ("print(5)", "5\n"),
        ("print('a  ')\nprint()", "a"),
        ("print('a')\n'b'", "a"),
        ("'b'", "'b'"),
        ("'b'", "b"),
        ("list(range(60))", str(list(range(60)))),
        ("list(range(60))", "[" + ",\n ".join(map(str, range(60))) + "]"),
        ("{'pear', 'apple', 'fig'}", "{'apple', 'fig', 'pear'}"),
        ("from IPython.display import display\nprint(1)\ndisplay('two')\n4", "1\n'two'"),
        ("print(5)\nimport os\nos._exit(0)", "5"),
        (
            "import subprocess\nprint('first')\nsubprocess.run(['echo', 'second'])\nprint('third')",
            "first\nsecond\nthird",
        ),
        ("import sys\nsys.stderr.write('noise')\nprint(5)", "5"),
        ("import subprocess\nsubprocess.run(['echo', 'hello'])\nNone", "hello"),
        ("x = 5", ""),
        ("print('Hello wor', end='', flush=True)\nimport time\ntime.sleep(0.2)\nprint('ld')", "Hello world"),
        ("print('\u2028é\\x00')", "\u2028é\x00"),
        ("Here you are:\n\n```python\nprint(5)\n```\n", "5"),
        ("import matplotlib.pyplot as plt\nprint(1)\nplt.plot([1, 2])\nplt.show()\nprint(2)", "1\n2"),
    ],
)
def test_text(sandbox: Sandbox, candidate: str, expected: str) -> None:
    reward = score_output(sandbox, candidate, expected)
    assert (reward.value, reward.verdict) == (1.0, "passed"), reward.reason


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ("0.1 + 0.2", 0.3),
        ("[1, (2, 3)]", [1, (2, 3)]),
        ("print([1, (2, 3)])\n'debug'", [1, (2, 3)]),
        ("None", None),
        ("print([1, 2.0000000000001])", [1, 2]),
        ("print('{\"a\": true}')", {"a": True}),
        ("{'a': {1, 2}}", {"a": {1, 2}}),
        ("import numpy\nnumpy.arange(3)", [0, 1, 2]),
        ("print(None)", None),
    ],
)
def test_value(sandbox: Sandbox, candidate: str, expected: Any) -> None:
    assert score_output(sandbox, candidate, expected).value == 1.0


@pytest.mark.parametrize(
    ("candidate", "expected", "verdict"),
    [
        ("print(6)", "5", "wrong_output"),
        ("print('debug')\nprint(5)", "5", "wrong_output"),
        ("print('5')\nprint('5')", "5", "wrong_output"),
        ("print('five')", 5, "wrong_output"),
        ("x = 5", "5", "wrong_output"),
        ("x = 5", 5, "wrong_output"),
        ("print('anything')", "", "wrong_output"),
        ("print(5)\n1 / 0", "5", "runtime_error"),
        ("print(5)\nimport os\nos._exit(2)", "5", "runtime_error"),
        ("print(5)\nimport sys\nsys.exit(2)", "5", "runtime_error"),
        ("print(5)\nimport os\nos.kill(os.getpid(), 9)", "5", "runtime_error"),
        ("print(5)\nwhile True: pass", "5", "timeout"),
        ("print(5)\nx = [0] * 10**11", "5", "memory"),
        ("print(5", "5", "compile_error"),
        ("I would print five.", "5", "no_code"),
    ],
)
def test_what_earns_nothing(sandbox: Sandbox, candidate: str, expected: Any, verdict: str) -> None:
    reward = score_output(sandbox, candidate, expected, time_limit=3)
    assert (reward.value, reward.verdict) == (0.0, verdict)


def test_partial_credit_only_where_it_is_asked_for(sandbox: Sandbox) -> None:
    candidate = "print('the cat sat')"
    assert score_output(sandbox, candidate, "the cat sat down").value == 0.0
    reward = score_output(sandbox, candidate, "the cat sat down", similarity="words")
    assert (reward.value, reward.verdict) == (0.75, "partial")
    assert score_output(sandbox, candidate, "the cat sat down", similarity="edit").value == pytest.approx(1 - 10 / 16)


def test_comparison_and_tolerance(sandbox: Sandbox) -> None:
    candidate = "print('mean:  3.1416 ')"
    assert score_output(sandbox, candidate, "mean: 3.14").value == 0.0
    assert score_output(sandbox, candidate, "mean: 3.14", compare="tokens").value == 0.0
    assert score_output(sandbox, candidate, "mean: 3.14", compare="tokens", abs_tol=0.01).value == 1.0
    assert score_output(sandbox, candidate, "mean:  3.1416 ", compare="exact").value == 1.0
    assert score_output(sandbox, candidate, "mean:  3.1416", compare="exact").value == 0.0


def test_a_part_that_says_why(sandbox: Sandbox) -> None:
    (part,) = score_output(sandbox, "print('one')\nprint('too')", "one\ntwo").parts
    assert part.name == "output"
    assert part.reason.splitlines()[0] == "line 2 differs:"
    assert (part.expected, part.actual) == ("one\ntwo", "one\ntoo\n")


def test_a_traceback_is_the_programs_own(sandbox: Sandbox) -> None:
    candidate = "import sys\nprint('warned', file=sys.stderr)\ndef f():\n    raise ValueError('no')\nf()"
    (part,) = score_output(sandbox, candidate, "").parts
    heading, *frames, last = str(part.stderr).splitlines()[1:]
    assert (heading, last) == ("Traceback (most recent call last):", "ValueError: no")
    files = [line.strip() for line in frames if line.strip().startswith("File")]
    assert files == ['File "candidate.py", line 5, in <module>', 'File "candidate.py", line 4, in f']


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ("print('a')\n'b'", "a\n'b'"),
        ("print('a')\n'b'", "a\nb"),
        ("print('a', end='')\n'b'", "a\nb"),
        ("print('hi')\nlist(range(60))", "hi\n" + str(list(range(60)))),
        ("from IPython.display import display\nprint(1)\ndisplay('two')\n4", "1\ntwo\n4"),
        ("print('debug')\n[1, (2, 3)]", [1, (2, 3)]),
        ("print('hi')\nimport sys\nsys.exit(0)", "hi"),
    ],
)
def test_a_notebooks_transcript_where_it_is_asked_for(sandbox: Sandbox, candidate: str, expected: Any) -> None:
    assert score_output(sandbox, candidate, expected, transcript=True).value == 1.0


@pytest.mark.parametrize("transcript", [False, True])
def test_what_cannot_be_written_down_is_no_program(sandbox: Sandbox, transcript: bool) -> None:
    reward = score_output(sandbox, "x = '\ud83d'\nprint('wrong')", "right", transcript=transcript)
    assert (reward.value, reward.verdict) == (0.0, "compile_error")


def test_a_sandbox_that_is_gone_is_unscored(sandbox: Sandbox) -> None:
    sandbox.kill()
    reward = score_output(sandbox, "print(5)", "5")
    assert (reward.value, reward.verdict) == (None, "unscored")
    assert "sandbox" in reward.reason


def test_wrong_arguments(sandbox: Sandbox) -> None:
    with pytest.raises(RewardkitUsageError, match="did you mean 'lines'"):
        score_output(sandbox, "print(5)", "5", compare="line")
    with pytest.raises(RewardkitUsageError, match="time_limit"):
        score_output(sandbox, "print(5)", "5", time_limit=0)
    with pytest.raises(TypeError, match="expected_output"):
        score_output(sandbox, "print(5)", expected_output="5")  # type: ignore[call-arg]
