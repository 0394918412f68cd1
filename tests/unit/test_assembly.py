"""A candidate is assembled into valid code, whatever form a model gave it; nothing runs here."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_rewardkit.datasets.formats.assembly import assembled, completed

PROMPT = 'import math\n\n\ndef helper(x):\n    return x\n\n\ndef asked(x: int) -> int:\n    """ What is asked. """\n'
BODY = "    y = helper(x)\n    return y\n"
FUNCTION = f"def asked(x: int) -> int:\n{BODY}"


def values(pieces: list[str]) -> list[int]:
    """The values of the pieces' function, run one after another as in the sandbox."""
    space: dict[str, object] = {}
    for piece in pieces:
        exec(piece, space)
    return [space["asked"](3)]  # type: ignore[operator]


@pytest.mark.parametrize(
    "candidate",
    [
        BODY,
        "\n" + BODY,
        BODY + "\n\ndef other():\n    return 1\n",
        "y = helper(x)\nreturn y",
        "y = helper(x)\n    return y",
        "for y in [helper(x)]:\n        return y\n    return 0",
        "return helper(x)\n",
        f"{BODY}```\n\nThis is it.",
        f"{BODY}```",
        f"{BODY}<|endoftext|>",
        "y = helper(x)\n    return y\n```<|im_end|>",
        "```python\ny = helper(x)\n    return y\n```",
        f"{BODY}\nThis function asks for help.",
        f"<answer>\n{BODY}</answer>",
        f"<think>\nHm.\n</think>\n{BODY}",
        f"{BODY}\n\ndef more(x):\n    return asked(",
        FUNCTION,
        PROMPT + BODY,
        f"from __future__ import annotations\n{FUNCTION}",
        f"```python\n{FUNCTION}```",
        f"```\n{BODY}```",
        f"Like so:\n\n```py\n{FUNCTION}```\n\nUse it as:\n\n```python\nprint(asked(3))\n```\n",
        f"    def asked(x):\n        return x\n{BODY}",
        "asked = lambda x: helper(x)",
        "class Asked:\n    def __call__(self, x):\n        return x\nasked = Asked()",
        FUNCTION.replace("\n", "\r\n"),
    ],
)
def test_what_a_model_made_of_a_prompt(candidate: str) -> None:
    assert values(assembled(candidate, begun=PROMPT, defines=["asked"])) == [3]


@pytest.mark.parametrize("candidate", ["", "\n  \n", "```python\n```", "```\n\n```"])
def test_no_code_is_no_candidate(candidate: str) -> None:
    assert assembled(candidate, begun=PROMPT, defines=["asked"]) == []


def test_what_does_not_parse_stays_to_say_so() -> None:
    pieces = assembled("def asked(x:\n    return", begun=PROMPT, defines=["asked"])
    with pytest.raises(SyntaxError):
        for piece in pieces:
            compile(piece, "x", "exec")


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        ("def f():\n", "def f():\n\n    pass\n"),
        ('def f():\n    """d"""\n', 'def f():\n    """d"""\n'),
        ("Write a function.", ""),
        ("", ""),
    ],
)
def test_a_prompt_is_completed_so_that_it_runs(begun: str, expected: str) -> None:
    assert completed(begun) == expected


@given(st.text(max_size=200), st.sampled_from(["", PROMPT]))
@example("@0", "")
@example("%", PROMPT)
def test_any_text_is_taken(candidate: str, begun: str) -> None:
    for piece in assembled(candidate, begun=begun, defines=["asked"]):
        assert isinstance(piece, str) and piece


@given(
    st.lists(st.sampled_from(["    ", "return x", "\n", "def asked(x):", "```", "python", "x = 1", "'''"]), max_size=12)
)
def test_pieces_that_fit_are_modules(words: list[str]) -> None:
    pieces = assembled("".join(words), begun=PROMPT, defines=["asked"])
    if len(pieces) == 1:
        ast.parse(pieces[0])
