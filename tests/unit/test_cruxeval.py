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
