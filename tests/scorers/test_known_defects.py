"""Defects of other graders of code, each as a test that passes here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import Case, RewardkitUsageError, extract_code, score_cases, score_output
from pytest_rewardkit.scorers.values.compare import compare_texts, compare_values

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox


class TestComparison:
    def test_further_from_right_never_earns_more(self) -> None:
        for similarity in (None, "words", "edit"):
            near = compare_texts("105", "100", similarity=similarity).value
            far = compare_texts("999", "100", similarity=similarity).value
            assert near >= far
        assert compare_values(1e-12, 0).equal
        assert not compare_values(1e-6, 0).equal

    def test_lists_keep_order_and_use_each_item_once(self) -> None:
        assert compare_values([3, 2, 1], [1, 2, 3]).value == 0.0
        assert compare_values([1, 7, 9], [1, 1, 1]).value == 0.0

    def test_lines_stay_lines(self) -> None:
        for compare in ("exact", "lines", "tokens"):
            assert compare_texts("1 2\n3", "1\n2 3", compare=compare).value == 0.0

    def test_wrong_answers_are_not_free(self) -> None:
        for actual, expected in [("False", "True"), ("No", "NO"), ("The weather is nice today", "The sum is 42.")]:
            assert compare_texts(actual, expected).value == 0.0
            assert compare_texts(actual, expected, similarity="edit").value == 0.0

    def test_a_candidate_cannot_stall_the_comparison(self) -> None:
        """In pure Python this pair takes a quarter of an hour."""
        assert compare_texts("ab" * 25_000, "ba" * 25_000, similarity="edit").value > 0.9

    def test_a_part_of_the_lines_is_not_all_of_them(self) -> None:
        for actual in ("1", "1\n2\n3\n4", "1\n2"):
            assert compare_texts(actual, "1\n2\n3").value == 0.0

    def test_letter_case_counts(self) -> None:
        assert not compare_texts("YES", "yes").equal


class TestOutput:
    def test_what_is_printed_is_seen(self, sandbox: Sandbox) -> None:
        assert score_output(sandbox, "print('hello')", "hello").value == 1.0

    def test_nothing_expected_means_nothing_printed(self, sandbox: Sandbox) -> None:
        assert score_output(sandbox, "print('junk')", "").value == 0.0
        assert score_output(sandbox, "x = 1", "").value == 1.0

    def test_a_misspelt_argument_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(TypeError, match="expected_output"):
            score_output(sandbox, "print(1)", expected_output="2")  # type: ignore[call-arg]

    def test_printing_a_dictionary_of_words_earns_nothing(self, sandbox: Sandbox) -> None:
        candidate = "print(' '.join(f'word{i}' for i in range(10_000)))"
        assert float(score_output(sandbox, candidate, "word7 word11", similarity="words")) < 0.001

    def test_a_response_in_markdown_is_not_run_as_a_whole(self, sandbox: Sandbox) -> None:
        assert score_output(sandbox, "Sure, this prints five:\n```py\nprint(5)\n```", "5").value == 1.0

    def test_output_in_pieces_is_put_together_as_it_was(self, sandbox: Sandbox) -> None:
        candidate = "import sys\nfor c in 'Hello world' * 500:\n    sys.stdout.write(c)\n    sys.stdout.flush()"
        assert score_output(sandbox, candidate, "Hello world" * 500).value == 1.0

    def test_what_a_failing_candidate_wrote_to_stderr_is_kept(self, sandbox: Sandbox) -> None:
        candidate = "import sys\nprint('before', file=sys.stderr)\nsys.exit(3)"
        assert "before" in str(score_output(sandbox, candidate, "x").parts[0].stderr)
        (part,) = score_cases(sandbox, candidate, [Case(stdin="", expected="x")]).parts
        assert (part.verdict, str(part.stderr).strip()) == ("runtime_error", "before")


class TestExtraction:
    @pytest.mark.parametrize(
        "response",
        [
            "```py\nx = 1\n```",
            "```python \nx = 1\n```",
            "1. Do this:\n\n   ```python\n   x = 1\n   ```",
            "```python\nx = 1\n",
            "```python\nx = 0\n```\nBetter:\n```python\nx = 1\n```",
        ],
    )
    def test_fences_as_models_write_them(self, response: str) -> None:
        assert extract_code(response) == "x = 1\n"

    def test_nothing_is_deleted_from_inside_the_code(self) -> None:
        code = "print('Thinking: hard')\n"
        assert extract_code(f"```python\n{code}```") == code


class TestPrograms:
    @pytest.mark.parametrize(
        "candidate",
        [
            "import sys\nprint(int(sys.stdin.buffer.read()) * 2)",
            "print(int(open(0).read()) * 2)",
            "print(int(input()) * 2)\nexit()",
            "import sys\nprint(int(input()) * 2)\nsys.exit(0)",
            "import os\nprint(int(os.read(0, 100)) * 2)",
        ],
    )
    def test_standard_input_is_real(self, sandbox: Sandbox, candidate: str) -> None:
        assert score_cases(sandbox, candidate, [Case(stdin="21\n", expected="42")]).value == 1.0

    def test_quotes_in_the_input_break_nothing(self, sandbox: Sandbox) -> None:
        text = "''' \"\"\" \\ $(ls) `ls` %s {} \n"
        assert score_cases(sandbox, "print(input())", [Case(stdin=text, expected=text.strip())]).value == 1.0


class TestCases:
    def test_values_are_compared_as_values(self, sandbox: Sandbox) -> None:
        candidate = "def total(*a): return sum(a)\ndef pair(a, b): return [a, b]\ndef number(): return 3"
        cases = [
            Case(call="total", args=[0.1, 0.2], expected=0.3),
            Case(code="pair(1, 2)", expected=[1, 2]),
            Case(call="number", expected=3),
            Case(code="number()", expected=3),
        ]
        assert score_cases(sandbox, candidate, cases).value == 1.0

    def test_a_row_with_another_field_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(RewardkitUsageError, match="no field 'output' in a case"):
            score_cases(sandbox, "x = 1", [{"code": "x", "output": "1"}])

    def test_arguments_arrive_as_they_are(self, sandbox: Sandbox) -> None:
        candidate = "def show(*args):\n    print('debug')\n    return [type(a).__name__ for a in args]"
        arguments: list[list[Any]] = [[1, 2], [[1, 2, 3], 1], ["123"], [(1, 2)], ["a b", "c"]]
        cases = [Case(call="show", args=args, expected=[type(a).__name__ for a in args]) for args in arguments]
        assert score_cases(sandbox, candidate, cases).value == 1.0

    @pytest.mark.parametrize("failing", [1, 9])
    def test_the_share_does_not_depend_on_which_case_fails(self, sandbox: Sandbox, failing: int) -> None:
        candidate = f"def f(x):\n    return None if x == {failing} else x"
        cases = [Case(call="f", args=[x], expected=x) for x in range(10)]
        assert score_cases(sandbox, candidate, cases).value == 0.9

    def test_one_slow_case_takes_no_time_from_the_others(self, sandbox: Sandbox) -> None:
        candidate = "import time\ndef f(x):\n    time.sleep(x)\n    return x"
        cases = [Case(call="f", args=[x], expected=x) for x in (30, 0.5, 0.5, 0.5)]
        assert score_cases(sandbox, candidate, cases, time_limit=5).value == 0.75

    def test_module_globals_and_imports_in_try_work(self, sandbox: Sandbox) -> None:
        candidate = """
try:
    import missing_module
except ImportError:
    missing_module = None
count = 0
def bump():
    global count
    count += 1
    return count
"""
        assert (
            score_cases(sandbox, candidate, [Case(call="bump", expected=1), Case(code="count", expected=1)]).value
            == 1.0
        )

    def test_a_case_that_ends_in_an_assignment_has_a_value(self, sandbox: Sandbox) -> None:
        cases = [
            {"code": "result = add_numbers(2, 3)", "expected": "5"},
            {"code": "result = add_numbers(-1, 1)", "expected": "0"},
        ]
        candidate = "\ndef add_numbers(a, b):\n    return a + b\n"
        assert score_cases(sandbox, candidate, cases).value == 1.0


class TestSafety:
    def test_secrets_of_the_host_are_not_in_the_sandbox(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOME_API_KEY", "hidden")
        candidate = "import os\ndef look(): return sorted(k for k in os.environ if 'KEY' in k or 'PYTEST' in k)"
        assert score_cases(sandbox, candidate, [Case(call="look", expected=[])]).value == 1.0

    def test_the_hosts_environment_is_left_alone(self, sandbox: Sandbox) -> None:
        before = dict(os.environ)
        score_cases(sandbox, "x = 1", [Case(code="x", expected="1"), Case(stdin="", expected="")])
        assert dict(os.environ) == before

    @pytest.mark.parametrize("case", [Case(call="f", expected=1), Case(stdin="", expected="")])
    def test_nothing_runs_on_after_a_timeout(self, sandbox: Sandbox, case: Case) -> None:
        candidate = "import os\nopen('pid', 'w').write(str(os.getpid()))\ndef f():\n    while True: pass\n"
        candidate += "if not hasattr(__builtins__, '__IPYTHON__'): f()"
        assert score_cases(sandbox, candidate, [case], time_limit=0.5).verdict == "timeout"
        # Waits for the process to disappear, and gives up after a minute.
        # Not through /proc: at some levels that is the machine's, where the number belongs to another process.
        gone = "for _ in $(seq 600); do kill -0 $(cat pid) 2>&1 | grep -q 'No such' && exit 0; sleep 0.1; done; exit 1"
        assert sandbox.commands.run(gone, timeout=90).exit_code == 0

    def test_a_failure_of_the_infrastructure_is_no_wrong_answer(self, sandbox: Sandbox) -> None:
        sandbox.kill()
        reward = score_output(sandbox, "print(1)", "2")
        assert reward.value is None
        assert reward.reason
