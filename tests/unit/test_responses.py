"""The code in responses of all kinds that models write (responses.py), and in combinations of their habits."""

from __future__ import annotations

import ast
import html
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.responses import ADD, CUT_OFF, IN_SEVERAL_BLOCKS, INFOS, MARKS, OTHER_LANGUAGES, PROGRAMS, SUM, WITH_ADD, F

from pytest_rewardkit.scorers.response.extract import RESPONSE_LIMIT, find_code

if TYPE_CHECKING:
    from collections.abc import Mapping


def rows(table: Mapping[str, list[str]]) -> list[object]:
    return [pytest.param(text, id=f"{kind}-{n}") for kind, texts in table.items() for n, text in enumerate(texts)]


def same(code: str, expected: str) -> bool:
    try:
        return ast.dump(ast.parse(code)) == ast.dump(ast.parse(expected))
    except SyntaxError:
        return False


@pytest.mark.parametrize("response", rows(WITH_ADD))
def test_a_function(response: str) -> None:
    extraction = find_code(response, defines=["add"])
    assert same(extraction.code, ADD), extraction


@pytest.mark.parametrize("response", rows(PROGRAMS))
def test_a_program(response: str) -> None:
    extraction = find_code(response)
    assert same(extraction.code.replace("import sys\n", ""), SUM), extraction


@pytest.mark.parametrize(("response", "code"), IN_SEVERAL_BLOCKS.values(), ids=IN_SEVERAL_BLOCKS)
def test_blocks_that_belong_together(response: str, code: str) -> None:
    extraction = find_code(response, defines=["add"] if "def add" in response else [])
    assert same(extraction.code, code), extraction


LESS = "def less(my_a, b):\n    return my_a < b and \"yes\" or 'no'\n"


@pytest.mark.parametrize(
    "rewritten",
    [
        html.escape(LESS),
        html.escape(LESS, quote=False),
        LESS.replace("<", "&#60;"),
        LESS.replace("my_a", r"my\_a"),
        LESS.replace('"yes"', "“yes”").replace("'no'", "\u2018no\u2019"),
    ],
)
def test_what_a_page_has_rewritten(rewritten: str) -> None:
    for response in (rewritten, f"{F}python\n{rewritten}{F}", f"<p>Here:</p><pre><code>{rewritten}</code></pre>"):
        found = find_code(response, defines=["less"])
        assert same(found.code, LESS) or same(found.code, LESS.replace("'no'", '"no"')), found


def test_what_parses_is_left_as_it_is() -> None:
    for code in ("print('&lt;', '“', '\u3000', '\\_')\n", "x = '\x85'\n"):
        assert find_code(code).code == code
        assert find_code(f"{F}python\n{code}{F}").code == code


@pytest.mark.parametrize(
    "sentence", ["\u201c42\u201d", "\u201cThe answer is 42.\u201d", "I can\u2019t do it", "4\xa0", "&lt;"]
)
def test_a_sentence_is_no_code_in_other_characters(sentence: str) -> None:
    assert find_code(sentence).code == ""


def test_words_after_code_are_not_cut_if_code_follows_them() -> None:
    code = "def add(a, b):\n    return a + b\nThis is no code\ndef add(a, b):\n    return a - b\n"
    assert find_code(code, defines=["add"]).code == code


LIKE_WRAPPINGS = [
    "{'code': 1}",
    '{"answer": "yes"}',
    '"a\\nb"',
    '{"source": ["a b", "c d"]}',
    '{"code": 1}',
    '{"n": 5}',
    '"""\na\n"""',
    "xs = [1]\nxs",
    "x: int = 3",
    "1\n2\n",
]


@pytest.mark.parametrize("program", LIKE_WRAPPINGS)
def test_programs_that_look_like_wrappings_are_programs(program: str) -> None:
    assert find_code(program).code == program


@pytest.mark.parametrize(
    ("response", "language"),
    [
        pytest.param(text, name, id=f"{name}-{n}")
        for name, texts in OTHER_LANGUAGES.items()
        for n, text in enumerate(texts)
    ],
)
def test_another_language_is_named(response: str, language: str) -> None:
    extraction = find_code(response, defines=["add"])
    assert (extraction.code, extraction.how) == ("", f"the candidate is {language}, not Python")


@pytest.mark.parametrize(("response", "code"), CUT_OFF.values(), ids=CUT_OFF)
def test_code_that_was_cut_off_is_taken_as_far_as_it_compiles(response: str, code: str) -> None:
    extraction = find_code(response, defines=["add"])
    assert same(extraction.code, code), extraction
    assert "cut off" in extraction.how


@pytest.mark.parametrize(
    "code",
    [
        "def add(a, b):\n    return (a +",
        "print(5",
        "x = 1\nprint(x))",
        "x = 1\nprint x",
        "def f():\nprint('hi')",
        "if True:\nprint('hi')",
        "x = '\ud83d'\nprint('right')",
    ],
)
def test_a_mistake_is_not_mended(code: str) -> None:
    for response in (code, f"{F}python\n{code}\n{F}"):
        assert find_code(response).code.rstrip("\n") == code


def test_the_table_is_large() -> None:
    tables = (WITH_ADD, PROGRAMS, OTHER_LANGUAGES)
    assert sum(len(texts) for table in tables for texts in table.values()) + len(CUT_OFF) >= 150


class TestSeveralBlocks:
    def test_those_that_build_on_each_other(self) -> None:
        parts = ["import math\n", "def area(r):\n    return math.pi * r**2\n", "print(area(2))\n"]
        response = "\nThen:\n".join(f"{F}python\n{part}{F}" for part in parts)
        assert same(find_code(response).code, "".join(parts))

    def test_imports_from_the_future_come_first(self) -> None:
        response = (
            f"{F}python\nimport math\ndef h(a, b): return a + b\n{F}\n"
            f"{F}python\nfrom __future__ import annotations\ndef add(a, b): return h(a, b)\n{F}"
        )
        code = find_code(response, defines=["add"]).code
        compile(code, "x", "exec")
        assert code.startswith("from __future__ import annotations\n")

    def test_a_whole_program_and_how_to_use_it(self) -> None:
        program = "def main():\n    print(input())\n\nif __name__ == '__main__':\n    main()\n"
        response = f"{F}python\n{program}{F}\nOr in a shell:\n{F}python\nmain()\n{F}"
        assert same(find_code(response).code, program)

    @pytest.mark.parametrize("quote", ['"""', "'''"])
    def test_a_fence_inside_a_string(self, quote: str) -> None:
        code = f"def doc():\n    return r{quote}\n{F}sh\nls\n{F}\n{quote}\n"
        for response in (f"{F}python\n{code}{F}", f"Look:\n{F}\n{code}{F}\nand\n{F}text\nx\n{F}", f"{F}python\n{code}"):
            assert find_code(response, defines=["doc"]).code == code

    def test_a_string_that_never_ends_takes_no_other_block(self) -> None:
        response = f'{F}python\nx = """oops\n{F}\nBetter:\n{F}python\n{ADD}{F}'
        assert same(find_code(response, defines=["add"]).code, ADD)


# Each keeps the code that it surrounds.
WRAPPINGS = {
    "prose": lambda text: f"Sure, here it is:\n\n{text}\n\nHope this helps!",
    "thoughts": lambda text: f"<think>\nFirst, `def`.\n</think>\n{text}",
    "end of thoughts": lambda text: f"I see.\n</think>\n{text}",
    "tags": lambda text: f"<answer>\n{text}\n</answer>",
    "solution": lambda text: f"So:\n<solution>\n{text}\n</solution>\n",
    "quote": lambda text: "\n".join(f"> {line}" for line in text.split("\n")),
    "lines": lambda text: text.replace("\n", "\r\n"),
    "bytes": lambda text: "\ufeff" + text,
    "output": lambda text: f"{text}\nOutput:\n{F}text\n3\n{F}\n",
    "shell": lambda text: f"{F}bash\npip install it\n{F}\n{text}",
    "mark": lambda text: f"{text}<|im_end|>",
    "done": lambda text: f"{text}\n[DONE]\n",
    "blank": lambda text: f"\n\n{text}\n\n",
}
FENCES = ("```", "````", "~~~")
# A change that breaks the one before: lines that no longer begin or end as they did.
LAST = ("lines", "bytes")


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(
        [ADD, "import math\n\n\n" + ADD, ADD + "\n\ndef more(a):\n    '''Adds ``more``.'''\n    return add(a, 1)\n"]
    ),
    st.sampled_from(FENCES),
    st.sampled_from(INFOS),
    st.booleans(),
    st.lists(st.sampled_from([name for name in WRAPPINGS if name not in LAST]), unique=True, max_size=3),
    st.lists(st.sampled_from(LAST), unique=True),
    st.sampled_from(["", *MARKS]),
)
def test_code_comes_back_from_any_wrapping(
    code: str, fence: str, info: str, closed: bool, wrappings: list[str], last: list[str], mark: str
) -> None:
    if "thoughts" in wrappings and "end of thoughts" in wrappings:
        wrappings.remove("end of thoughts")
    text = f"{fence}{info}\n{code}" + (f"{fence}{mark}" if closed or wrappings else mark)
    # Thoughts come first, and lines are quoted before anything is put around them.
    order = [
        "quote",
        "mark",
        "output",
        "shell",
        "tags",
        "solution",
        "prose",
        "blank",
        "thoughts",
        "end of thoughts",
        "done",
    ]
    for name in [*sorted(wrappings, key=order.index), *last]:
        text = WRAPPINGS[name](text)
    extraction = find_code(text, defines=["add"])
    assert same(extraction.code, code), (text, extraction)


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "```\n",
            "`",
            "```py\n'''\n",
            "'''\n```\n",
            "```x```\n",
            "> ```\n",
            "<answer>\n",
            "</think>",
            "<|a|>\n",
            "[DONE]\n",
        ),
        *(
            "a```\n",
            "x = 1\n```\n",
            "```python\nx = (\n",
            "assert x\n```\n```py\n",
            "const x = 1;\n",
            "def f(\n",
            "# ```\n",
        ),
        *(
            "```python\nx\n```\n",
            "```\nx = 1\n```\n",
            "- ",
            "> ",
            ">>> x\n",
            "<|" + "a" * 30,
            "import x\n\n",
            "{" * 50 + "\n",
            "select \n",
        ),
    ],
)
def test_time_is_linear(unit: str) -> None:
    """In this process's processor time; four times the length may take little more than four times as long."""

    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        started = time.process_time()
        find_code(text, defines=["x"])
        find_code(f"{text}\n```python\nx = 1\n```")
        return time.process_time() - started

    assert seconds(RESPONSE_LIMIT // 4) < 0.5 + 12 * seconds(RESPONSE_LIMIT // 16)
