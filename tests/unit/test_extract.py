"""Code from responses as models write them."""

from __future__ import annotations

import ast
import textwrap
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.response.extract import RESPONSE_LIMIT, extract_code, find_code
from pytest_rewardkit.scorers.response.source import read_source

ADD = "def add(a, b):\n    return a + b\n"
USAGE = "print(add(1, 2))\n"


def fenced(code: str, info: str = "python", fence: str = "```") -> str:
    return f"{fence}{info}\n{code.rstrip()}\n{fence}\n"


class TestFences:
    @pytest.mark.parametrize(
        "info", ["python", "py", "Python", "python3", "python ", "{python}", "py title=add.py", "ipython", "", "  "]
    )
    def test_names_of_python(self, info: str) -> None:
        assert extract_code(f"Here it is:\n\n{fenced(ADD, info)}\nEnjoy!") == ADD

    @pytest.mark.parametrize(
        "response",
        [
            f"Sure!\n~~~python\n{ADD}~~~",
            f"Sure!\n`````py\n{ADD}`````",
            f"Sure!\n```python\n{ADD}",
            f"Sure!\n```python\n{ADD}``",
            f"Sure!\n```python\n{ADD.rstrip()}```",
            "1. First\n\n" + textwrap.indent(fenced(ADD), "   ") + "\n2. Second",
            "- Code:\n" + textwrap.indent(fenced(ADD), "  "),
            "The code:\n\n" + textwrap.indent(fenced(ADD), "        "),
            "- The code:\n    " + textwrap.indent(fenced(ADD), "    ").lstrip() + "\nDone",
            textwrap.indent(fenced(ADD), "> "),
            f"<details>\n<summary>Code</summary>\n{fenced(ADD)}</details>",
            f"Run this:\n```bash\npip install add\n```\nThen:\n{fenced(ADD)}It prints:\n```\n3\n```",
            fenced(ADD).replace("\n", "\r\n"),
            f"<think>\nMaybe\n{fenced('def add(a): pass')}\nNo.\n</think>\n{fenced(ADD)}",
            "In a session:\n```pycon\n>>> def add(a, b):\n...     return a + b\n...\n```",
        ],
        ids=[
            "tildes",
            "long-fence",
            "unclosed",
            "badly-closed",
            "closed-on-the-last-line",
            "numbered-list",
            "list",
            "indented-by-eight",
            "lazy-list",
            "quote",
            "html",
            "shell-and-output-around",
            "crlf",
            "thoughts-before",
            "prompts",
        ],
    )
    def test_shapes(self, response: str) -> None:
        assert ast.dump(ast.parse(extract_code(response))) == ast.dump(ast.parse(ADD))

    def test_text_inside_the_code_is_left_alone(self) -> None:
        code = 'def f():\n    """Thinking: a\n\n    ```\n    f()\n    ```\n    """\n    return "<think>x</think>"\n'
        assert extract_code(f"Look:\n{fenced(code)}") == code

    def test_other_languages_by_their_names(self) -> None:
        response = fenced("let x = 1;\n", "js") + fenced(ADD) + fenced("int x;\n", "c++")
        assert extract_code(response, language="javascript") == "let x = 1;\n"
        assert extract_code(response, language="cpp") == "int x;\n"
        assert extract_code(response, language="rust") == ""

    def test_notebook_lines_are_code(self) -> None:
        code = "!pip install numpy\n%matplotlib inline\nx = 1\n"
        assert extract_code(f"First:\n{fenced('y = 2')}Then:\n{fenced(code)}") == code


class TestSeveralBlocks:
    DRAFT = "def add(a, b):\n    return a - b\n"

    def test_the_last_that_defines_what_is_asked(self) -> None:
        response = f"{fenced(self.DRAFT)}Better:\n{fenced(ADD)}Usage:\n{fenced(USAGE)}"
        extraction = find_code(response, defines=["add"])
        assert extraction.code == ADD
        assert extraction.how == "code block 2 of 3"

    def test_with_the_earlier_ones_that_it_needs(self) -> None:
        parts = ["import math\n", "UNUSED = 1\n", "def root(x):\n    return math.sqrt(x)\n", "print('an example')\n"]
        extraction = find_code("\n".join(map(fenced, parts)), defines=["root"])
        assert extraction.code == "import math\n\ndef root(x):\n    return math.sqrt(x)\n"
        assert extraction.how == "code blocks 1 and 3 of 4"

    def test_nothing_asked_means_the_last_with_what_it_needs(self) -> None:
        assert extract_code(f"{fenced(ADD)}{fenced(USAGE)}") == f"{ADD}\n{USAGE}"
        assert extract_code(f"{fenced('print(1)')}Or:\n{fenced('print(2)')}") == "print(2)\n"

    def test_a_last_block_that_does_not_parse_is_passed_over(self) -> None:
        assert extract_code(f"{fenced(ADD)}Output:\n{fenced('>> 3 files found')}", defines=["add"]) == ADD

    def test_all_joined_when_none_defines_what_is_asked(self) -> None:
        extraction = find_code(f"{fenced('a = 1')}{fenced('b = 2')}", defines=["add"])
        assert extraction.code == "a = 1\n\nb = 2\n"
        assert extraction.how == "all 2 code blocks, joined"

    def test_names_that_no_block_defines_do_not_count(self) -> None:
        response = f"{fenced(self.DRAFT)}{fenced(ADD)}"
        assert extract_code(response, defines=["add", "math"]) == ADD

    @pytest.mark.parametrize(
        ("policy", "code"), [("first", "a = 1\n"), ("last", "c = 3\n"), ("all", "a = 1\n\nb = (\n\nc = 3\n")]
    )
    def test_policies(self, policy: str, code: str) -> None:
        response = f"{fenced('a = 1')}{fenced('b = (')}{fenced('c = 3')}"
        assert extract_code(response, policy=policy) == code

    def test_unknown_policy(self) -> None:
        with pytest.raises(RewardkitUsageError, match="did you mean 'first'"):
            extract_code("", policy="frist")


class TestWithoutFences:
    @pytest.mark.parametrize(
        "code", [ADD, "print(1)", "1 + 1", "\n    x = 1\n    print(x)\n", "for i in range(3): print(i)"]
    )
    def test_bare_code_is_taken_whole(self, code: str) -> None:
        extraction = find_code(code)
        assert extraction.code == textwrap.dedent(code)
        assert extraction.how == "the whole response"

    def test_code_that_holds_fences_is_still_code(self) -> None:
        code = 'TEXT = """\n```python\nx = 1\n```\n"""\nprint(TEXT)\n'
        assert extract_code(code) == code

    def test_code_in_prose(self) -> None:
        response = f"Here is the function you asked for:\n\n{ADD}\nIt adds two numbers.\n\nLet me know!"
        assert extract_code(response).strip() == ADD.strip()

    def test_code_cut_off_is_given_as_it_is(self) -> None:
        assert extract_code("def add(a, b):\n    return (a +") == "def add(a, b):\n    return (a +"

    @pytest.mark.parametrize(
        "response",
        [
            "",
            "   \n\t\n",
            "I'm sorry, but I can't help with that.",
            "hello",
            "Sorry, no",
            "Note: this",
            "state-of-the-art",
            "not sure",
            "yes or no",
            "The answer is 5.",
            "from now on we import nothing",
            "# Only a heading",
            "```\n```",
            "```text\nhello\n```",
            "...",
        ],
    )
    def test_prose_has_none(self, response: str) -> None:
        assert find_code(response).code == ""


class TestHostileResponses:
    @given(st.text())
    def test_no_text_raises(self, response: str) -> None:
        find_code(response, defines=["x"])

    @given(
        st.lists(
            st.sampled_from(
                [
                    "```",
                    "```python",
                    "~~~",
                    "\n",
                    "    ",
                    "> ",
                    "- ",
                    "def f():",
                    "  return 1",
                    "`",
                    "</think>",
                    "<think>",
                    "\t",
                    ">>> x",
                    "\x00",
                    "\ud800",
                    "!ls",
                    '"""',
                ]
            )
        ).map("\n".join)
    )
    def test_no_markdown_raises(self, response: str) -> None:
        for policy in ("auto", "first", "last", "all"):
            find_code(response, policy=policy)

    @pytest.mark.parametrize(
        "unit",
        [
            "a\n",
            "- a\n",
            "> ",
            "- ",
            "> > > a\n",
            "```\n",
            "~~~py\nx\n~~~\n",
            "        ```\n",
            "[",
            "(",
            "-",
            "not ",
            "a.",
            "a+",
            "f()",
            "x = 1\n\n",
            "def f(): x\n\n?\n\n",
            "`",
            "<think>",
            "    ",
            "\\\n",
            "{0:",
            "lambda:",
            "\x00",
            "\ud800",
            "'",
            "[a]: b\n",
            "!",
            "%\n",
        ],
    )
    def test_any_size_ends(self, unit: str) -> None:
        """Each takes at most a few seconds; a method that is not linear would take hours."""
        text = (unit * (RESPONSE_LIMIT // len(unit)))[:RESPONSE_LIMIT]
        for response in (text, text + "\n```python\nx = 1\n```", "```python\n" + text):
            find_code(response, defines=["x"])

    def test_a_longer_response_is_refused_with_the_reason(self) -> None:
        extraction = find_code("x = 1\n" * 50_000)
        assert extraction.code == ""
        assert extraction.how == "the response has 300,000 characters, more than 250,000"

    def test_doubtful_code_warns_nobody(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_source(r"x = '\d' is 'x'") is not None

    def test_only_text_is_a_response(self) -> None:
        with pytest.raises(TypeError, match="not bytes"):
            find_code(b"x = 1")  # type: ignore[arg-type]
