"""Answers to CRUXEval's rows, as models write them."""

from __future__ import annotations

import pytest

from pytest_rewardkit.datasets.formats.cruxeval import _read_input, _read_output

F = "`" * 3


@pytest.mark.parametrize(
    "response",
    [
        "[1, 2]",
        "[ANSWER][1, 2][/ANSWER]",
        "So it is 3.\n<answer>[1, 2]</answer>",
        "<answer>`[1, 2]`</answer>",
        "<Answer>\n**[1, 2]**\n</Answer> That is it.",
        f"<answer>\n{F}python\n[1, 2]\n{F}\n</answer>",
        f"Thinking.\n{F}\nassert f(5) == [1, 2]\n{F}",
        "`[1, 2]`",
        "**[1, 2]**",
        "The list `x` becomes `[2]` first; the output is `[1, 2]`.",
        "It starts with `a = 5 +`. **Output:** **`[1, 2]`**",
        "assert f(5) == [1, 2]",
        "The output is `[1, 2]`",
        "Output: **[1, 2]**",
    ],
)
def test_an_output(response: str) -> None:
    assert _read_output(response) == ["def answer():\n    return [1, 2]"]


@pytest.mark.parametrize(
    "response",
    ["f(5, 'a')", "<answer>f(5, 'a')</answer>", "`5, 'a'`", "The input is **f(5, 'a')**.", "assert f(5, 'a') == 3"],
)
def test_an_input(response: str) -> None:
    assert _read_input(response) == ["def answer():\n    return (lambda *args, **kwargs: (args, kwargs))(5, 'a')"]


@pytest.mark.parametrize(
    "response", ["", "I do not know.", "**", "`", "<answer></answer>", "`" * 100_000, "**" * 50_000]
)
def test_no_answer(response: str) -> None:
    assert _read_output(response) is None


@pytest.mark.parametrize(
    "answer",
    [
        "-1.5",
        "'a' 'b'",
        "(1, [True, None], {'a': {2, 3}}, b'')",
        "set()",
        "frozenset({1})",
        "float('-inf')",
        "-float('inf')",
        "[float('nan')]",
        "(1-2j)",
        "(-1+2j)",
        "range(0, 5)",
        "dict(a=1, b=[2])",
        "bytearray(b'x')",
        "...",
    ],
)
def test_a_value_that_is_written_out(answer: str) -> None:
    assert _read_output(answer) is not None
    assert _read_output(f"assert f(1) == {answer}") is not None


@pytest.mark.parametrize(
    "answer",
    [
        "(lambda text: text.upper())('abc')",
        "'abc'.upper()",
        "[c for c in 'abc']",
        "[*'abc']",
        "{**{'a': 1}}",
        "sorted([2, 1])",
        "set('abc')",
        "frozenset('abc')",
        "float('1e3')",
        "'ab' * 3",
        "'a' + 'b'",
        "1 + 2",
        "-(-1)",
        "not True",
        "3 if 1 else 2",
        "f'{1 + 1}'",
        "(x := 5)",
        "[1, 2][0]",
        "eval('1')",
        "[len('abc')]",
        "{'a': len('abc')}",
        "range(len('abc'))",
        "str(12)",
        "dict(a=len('abc'))",
        "dict([('a', 1)])",
        "dict(**{'a': 1})",
        "x",
    ],
)
def test_an_output_that_computes_foretells_nothing(answer: str) -> None:
    assert _read_output(answer) is None
    assert _read_output(f"[ANSWER]{answer}[/ANSWER]") is None


def test_an_output_nested_deep_is_none() -> None:
    assert _read_output("[" * 90 + "]" * 90) is not None
    assert _read_output("-" * 5_000 + "1") is None
