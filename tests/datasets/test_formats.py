"""Each format's reference earns 1.0 and another candidate less, through the real SDK and server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from benchmark_rows import (
    APPS_METHOD,
    ASSERTIONS,
    BIGCODE,
    CRUX,
    CRUX_INPUT,
    CRUX_OUTPUT,
    EXAMPLES,
    HELPERS,
    LCB_METHOD,
    LCB_PROGRAM,
    MBPP_CLASSES,
    OWN_CASES,
    OWN_OUTPUT,
    OWN_PROGRAM,
    PLUS_INPUTS,
    PLUS_TABLE,
    Example,
    packed,
)

from pytest_rewardkit.datasets.formats import find_format
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.rows import open_dataset
from pytest_rewardkit.datasets.score import score_row
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reward import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.testcode.test_runner import TestRunner


def row_of(example: Example, **changes: Any) -> Row:
    fields = {name: value for name, value in {**example.row, **changes}.items() if value is not ...}
    return Row(fields, id="x", place="rows.jsonl:1", format=find_format(example.format))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_reference_earns_all_and_another_candidate_less(
    sandbox: Sandbox, test_runner: TestRunner, example: Example
) -> None:
    row = row_of(example)
    assert row.reference is not None
    assert row.task.prompt is None or isinstance(row.task.prompt, str)
    right = score_row(sandbox, row, row.reference, test_runner=test_runner)
    assert (right.value, [part.reason for part in right.parts if part.value != 1]) == (1.0, [])
    wrong = score_row(sandbox, row, example.wrong, test_runner=test_runner)
    assert wrong.value is not None and wrong.value < 1.0


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
@pytest.mark.parametrize(
    ("candidate", "verdicts"),
    [
        ("", {Verdict.NO_CODE}),
        ("I am sorry, but I cannot do that. What else?", {Verdict.NO_CODE, Verdict.COMPILE_ERROR}),
        ("def other(): pass", {Verdict.RUNTIME_ERROR, Verdict.WRONG_OUTPUT, Verdict.NO_CODE, Verdict.COMPILE_ERROR}),
    ],
    ids=["nothing", "prose", "another function"],
)
def test_what_is_no_candidate_earns_nothing(
    sandbox: Sandbox, test_runner: TestRunner, example: Example, candidate: str, verdicts: set[Verdict]
) -> None:
    reward = score_row(sandbox, row_of(example), candidate, test_runner=test_runner)
    # Some assertions of a test say nothing about the candidate, or hold for many.
    assert reward.value is not None and reward.value < 0.5
    assert reward.verdict in verdicts | ({Verdict.PARTIAL} if candidate.startswith("def") else set())


NOTHINGS = {
    "pass": "def {name}(*args, **kwargs): pass",
    "return None": "def {name}(*args, **kwargs):\n    return None",
    "a class": "class {name}:\n    pass",
}


@pytest.mark.parametrize("nothing", NOTHINGS.values(), ids=NOTHINGS)
@pytest.mark.parametrize(
    ("entry_point", "test"),
    [
        ("f", "assert True\nassert f(2) == 4\nassert f(0) is None"),
        ("f", "for n in (0, 1, 2):\n    assert f(n) == (n * 2 or None)"),
        ("f", "assert not f(0)\nassert f(2)"),
    ],
)
def test_doing_nothing_earns_nothing(
    sandbox: Sandbox, test_runner: TestRunner, nothing: str, entry_point: str, test: str
) -> None:
    fields = {"task_id": 1, "text": "Double.", "test_list": [test], "code": "def f(n): return n * 2 or None"}
    row = Row(fields, id="1", place="rows.jsonl:1", format=find_format("mbpp"))
    assert score_row(sandbox, row, test_runner=test_runner, candidate=fields["code"]).value == 1.0
    assert score_row(sandbox, row, nothing.format(name=entry_point), test_runner=test_runner).value == 0.0


SHARED = "class Shared:\n    n = 0\n    def __enter__(self): return self\n    def __exit__(self, *_): pass\n"


@pytest.mark.parametrize(
    ("reference", "test"),
    [
        (f"{SHARED}def f(): return Shared()", "with f() as held:\n    assert held.n == 0"),
        ("def f(report):\n    report(1)", "n = 0\ndef g(k):\n    global n\n    n += k\nf(g)\nassert n == 1"),
        (
            "class Odd(Exception): pass\ndef f(): raise Odd",
            "try:\n    f()\nexcept Odd:\n    done = 1\nassert done == 1",
        ),
    ],
    ids=["a context", "a function with effects", "an exception"],
)
def test_a_test_that_the_reference_fails_too_says_nothing(
    sandbox: Sandbox, test_runner: TestRunner, reference: str, test: str
) -> None:
    fields = {"task_id": 1, "text": "Do it.", "test_list": [test], "code": reference}
    row = Row(fields, id="1", place="rows.jsonl:1", format=find_format("mbpp"))
    for candidate in (reference, f"{reference}\nother = 1"):
        reward = score_row(sandbox, row, candidate, test_runner=test_runner)
        assert (reward.value, reward.reason[:32]) == (None, "the row's own reference does not")
    assert score_row(sandbox, row, "def f(:", test_runner=test_runner).verdict is Verdict.COMPILE_ERROR


@pytest.mark.parametrize(
    "changes",
    [
        # The tests, the prompt, and the reference as it runs: pandas needs another library for some files.
        {"test": "import not_there\n" + BIGCODE.row["test"]},
        {"code_prompt": "import not_there\n" + BIGCODE.row["code_prompt"]},
        {"canonical_solution": "    import not_there\n" + BIGCODE.row["canonical_solution"]},
    ],
    ids=["tests", "prompt", "reference"],
)
def test_a_library_that_the_row_needs_and_the_sandbox_lacks_is_named(
    sandbox: Sandbox, test_runner: TestRunner, changes: dict[str, str]
) -> None:
    row = row_of(BIGCODE, **changes)
    reward = score_row(sandbox, row, row.reference, test_runner=test_runner)
    assert reward.verdict is Verdict.UNSCORED
    assert "lacks what the row needs: not_there" in reward.reason


@pytest.mark.parametrize(
    "candidate",
    [
        "    import not_there\n    return 1\n",
        "    raise ImportError('no')\n",
        "    import sys\n    sys.modules['unittest'] = None\n",
    ],
)
def test_a_library_that_only_the_candidate_asks_for_is_its_own_fault(
    sandbox: Sandbox, test_runner: TestRunner, candidate: str
) -> None:
    assert score_row(sandbox, row_of(BIGCODE), candidate, test_runner=test_runner).value == 0.0


def test_a_candidate_that_spoils_the_tests_loading_is_not_unscored(sandbox: Sandbox, test_runner: TestRunner) -> None:
    candidate = "    return 1\n\nimport sys\nsys.modules['unittest'] = sys.modules['tempfile'] = None\n"
    assert score_row(sandbox, row_of(BIGCODE), candidate, test_runner=test_runner).value == 0.0


def test_unit_tests_that_doing_nothing_passes_have_no_weight(sandbox: Sandbox, test_runner: TestRunner) -> None:
    test = (
        BIGCODE.row["test"]
        + "    def test_case_5(self):\n        self.assertIsNone(task_func(-5) if False else None)\n"
    )
    row = row_of(BIGCODE, test=test)
    right = score_row(sandbox, row, row.reference, test_runner=test_runner)
    assert (right.value, [part.weight for part in right.parts]) == (1.0, [1, 1, 1, 1, 0])
    assert score_row(sandbox, row, "    pass\n", test_runner=test_runner).value == 0.0


def test_a_row_that_doing_nothing_passes_says_nothing(sandbox: Sandbox, test_runner: TestRunner) -> None:
    row = row_of(HELPERS, test="def check(candidate):\n    assert not candidate('')\n    assert True\n")
    reward = score_row(sandbox, row, row["canonical_solution"], test_runner=test_runner)
    assert reward.verdict is Verdict.UNSCORED
    assert "says nothing of a candidate" in reward.reason


HANDED_OVER = {
    "a type": (
        "def only(items, kind): return [i for i in items if isinstance(i, kind)]",
        "assert only([1, 'a'], int) == [1]",
    ),
    "a range": ("def bounds(r): return (min(r), max(r))", "assert bounds(range(3, 7)) == (3, 6)"),
    "a lambda": ("def apply(g, x): return g(x)", "assert apply(lambda n: n + 1, 1) == 2"),
    "in place": ("def fill(a): a.append(1)", "l = []\nfill(l)\nassert l == [1]"),
    "an iterator": ("def total(it): return sum(it)", "assert total(iter([1, 2])) == 3"),
    "a name of Python's": ("def sum(a, b): return a + b", "assert sum(1, 2) == 3"),
    "a large list in place": ("def turn(a): a.reverse()", "l = list(range(60000))\nturn(l)\nassert l[0] == 59999"),
    "a dictionary of lists": (
        "def group(words, into):\n    for w in words: into.setdefault(len(w), []).append(w)",
        "d = {1: ['x']}\ngroup(['a', 'bb'], d)\nassert d == {1: ['x', 'a'], 2: ['bb']}",
    ),
}


@pytest.mark.parametrize(("code", "test"), HANDED_OVER.values(), ids=HANDED_OVER)
def test_what_tests_hand_over_reaches_the_candidate(
    sandbox: Sandbox, test_runner: TestRunner, code: str, test: str
) -> None:
    fields = {"task_id": 1, "text": "As said.", "test_list": [test], "code": code}
    row = Row(fields, id="1", place="rows.jsonl:1", format=find_format("mbpp"))
    reward = score_row(sandbox, row, code, test_runner=test_runner)
    assert (reward.value, [part.reason for part in reward.parts if part.value != 1]) == (1.0, [])


def test_a_function_takes_along_only_what_it_refers_to(sandbox: Sandbox, test_runner: TestRunner) -> None:
    code = "def spy(g): return sorted(name for name in g.__globals__ if name[0] != '_')"
    test = "EXPECTED = ['BASE', 'helper']\nBASE = 1\ndef helper(): return BASE\ndef g(): return helper()"
    fields = {"task_id": 1, "text": "", "test_list": [test, "assert spy(g) == ['helper']"], "code": code}
    row = Row(fields, id="1", place="rows.jsonl:1", format=find_format("mbpp"))
    assert score_row(sandbox, row, code, test_runner=test_runner).value == 1.0


def test_partial_credit_is_the_share_of_checks(sandbox: Sandbox, test_runner: TestRunner) -> None:
    half = "    return [n / 3 for n in numbers] if len(numbers) < 2 else []\n"
    reward = score_row(sandbox, row_of(PLUS_TABLE), half, test_runner=test_runner)
    assert reward.value == 0.5
    assert reward.verdict is Verdict.PARTIAL
    [part] = reward.parts
    assert part.reason.startswith("2 of 4 passed; first failure: ")
    assert part.actual == "thirds([1.0, 2.0]) is []"


def test_the_checks_behind_a_break_count_as_failed(sandbox: Sandbox, test_runner: TestRunner) -> None:
    test = (
        "def check(candidate):\n    assert candidate(1) == 1\n    for n in range(3):\n        got = candidate(n)\n"
        "        assert got == n\n"
    )
    row = row_of(HELPERS, prompt='def f(n):\n    """ d """\n', entry_point="f", test=test, canonical_solution=...)
    reward = score_row(sandbox, row, "    return 1 // n\n", test_runner=test_runner)
    assert reward.value == 0.25
    assert [(part.value, part.weight, part.verdict) for part in reward.parts] == [
        (1.0, 1.0, Verdict.PASSED),
        (0.0, 3.0, Verdict.RUNTIME_ERROR),
    ]
    assert "f(0) raised ZeroDivisionError" in reward.parts[1].reason


@pytest.mark.parametrize(
    "body",
    [
        "    import asyncio\n    async def g(): return n\n    return asyncio.run(g())\n",
        "    return n if n < 0 else d(950) - 950 + n\n\ndef d(m): return 0 if m == 0 else 1 + d(m - 1)\n",
        "    print('so much' * 100000)\n    import sys; sys.stderr.write('x'); sys.stdout.flush()\n    return n\n",
        "    import pickle\n    return pickle.loads(pickle.dumps(Box(n))).n\n\n"
        "class Box:\n    def __init__(self, n): self.n = n\n",
        "    from concurrent.futures import ThreadPoolExecutor\n"
        "    with ThreadPoolExecutor() as pool: return pool.submit(int, n).result()\n",
        "    if __name__ == '__main__': return None\n    return n\n\nif __name__ == '__main__': f(input())\n",
    ],
    ids=["asyncio.run", "deep recursion", "prints", "pickle", "threads", "main"],
)
def test_a_candidate_runs_as_a_module_of_a_program_does(sandbox: Sandbox, test_runner: TestRunner, body: str) -> None:
    test = "def check(candidate):\n    assert candidate(3) == 3\n    assert candidate(-1) == -1\n"
    row = row_of(HELPERS, prompt='def f(n):\n    """ d """\n', entry_point="f", test=test, canonical_solution=...)
    reward = score_row(sandbox, row, body, test_runner=test_runner)
    assert (reward.value, [part.reason for part in reward.parts if part.value != 1]) == (1.0, [])


FORMS = {
    "a body": "{body}",
    "the whole program": "{prompt}{body}",
    "the function alone": "{definition}{body}",
    "the function in a fence": "Here it is:\n```python\n{definition}{body}```\nIt scales.",
    "the body in a fence": "```python\n{body}```",
    "the body without its indentation in a fence": "```\nreturn [float(n * by) for n in numbers]\n```",
    "a draft and the function": "```python\nscale = None\n```\nNo, rather:\n```python\n{definition}{body}```",
    "the function with a future import": "from __future__ import annotations\n{definition}{body}",
    "an unclosed fence": "Sure!\n\n```py\n{definition}{body}",
    "the function, then a call of it": "{definition}{body}\nprint(scale([1.0]))\n",
    "a lambda": "scale = lambda numbers, by=2: [float(n * by) for n in numbers]",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_candidate_may_come_in_many_forms(sandbox: Sandbox, test_runner: TestRunner, form: str) -> None:
    row = row_of(ASSERTIONS)
    candidate = form.format(
        prompt=row["prompt"],
        definition="def scale(numbers: List[float], by: float = 2) -> List[float]:\n",
        body="    return [float(n * by) for n in numbers]\n",
    )
    reward = score_row(sandbox, row, candidate, test_runner=test_runner)
    assert (reward.value, [part.reason for part in reward.parts if part.value != 1]) == (1.0, [])


@pytest.mark.parametrize(
    "answer",
    [
        "{'top': 3, 'all': (1, 2, 3)}",
        "assert f([3, 1, 2], 'top', default=1) == {'top': 3, 'all': (1, 2, 3)}",
        "[THOUGHT] It sorts [1, 2]. [/THOUGHT]\n[ANSWER]\nassert f([3], 1) == {'top': 3, 'all': (1, 2, 3)}\n[/ANSWER]",
        "```python\nassert f([3, 1, 2], 'top') == dict(top=3, all=(1, 2, 3))\n```",
        "`{'top': 3, 'all': (1, 2, 3)}`",
    ],
)
def test_an_output_may_be_foretold_in_many_forms(sandbox: Sandbox, test_runner: TestRunner, answer: str) -> None:
    assert score_row(sandbox, row_of(CRUX_OUTPUT), answer, test_runner=test_runner).value == 1.0


def test_an_output_is_to_be_foretold_not_computed(sandbox: Sandbox, test_runner: TestRunner) -> None:
    for answer in (f"f({CRUX['input']})", "{'top': max([3, 1, 2]), 'all': (1, 2, 3)}"):
        reward = score_row(sandbox, row_of(CRUX_OUTPUT), answer, test_runner=test_runner)
        assert (reward.value, reward.verdict) == (0.0, Verdict.NO_CODE)
        assert "no value that is written out" in reward.parts[0].reason


@pytest.mark.parametrize(
    "answer",
    ["f([1, 2, 3], 'top')", "[2, 3, 1], 'top'", "assert f([1, 2, 3], key='top') == {'top': 3, 'all': (1, 2, 3)}"],
)
def test_any_input_that_gives_the_output_is_right(sandbox: Sandbox, test_runner: TestRunner, answer: str) -> None:
    assert score_row(sandbox, row_of(CRUX_INPUT), answer, test_runner=test_runner).value == 1.0


def test_without_a_test_runner_a_second_sandbox_is_made_and_killed(
    sandbox: Sandbox, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from e2b_code_interpreter import Sandbox as Kind

    for name, value in provider.environment().items():
        monkeypatch.setenv(name, value)
    before = {info.sandbox_id for info in Kind.list().next_items()}
    assert score_row(sandbox, row_of(HELPERS), row_of(HELPERS).reference).value == 1.0
    assert {info.sandbox_id for info in Kind.list().next_items()} == before


@pytest.mark.parametrize(
    ("example", "changes", "cause"),
    [
        (
            HELPERS,
            {"test": "import not_there\n\ndef check(candidate):\n    assert candidate"},
            "No module named 'not_there'",
        ),
        (HELPERS, {"test": "def check(candidate:"}, "SyntaxError"),
        (HELPERS, {"test": "while True: pass"}, "did not end within"),
        (HELPERS, {"test": "def check(candidate):\n    candidate(object())"}, "which cannot leave the test's process"),
        (HELPERS, {"test": "import os\nos._exit(0)"}, "it ended its own process"),
        (BIGCODE, {"libs": "['pandas', 'not_there']"}, "the sandbox lacks what the row needs: not_there"),
        (PLUS_INPUTS, {"canonical_solution": "    return missing\n"}, "NameError"),
    ],
)
def test_a_row_whose_own_test_cannot_run_is_unscored_not_failed(
    sandbox: Sandbox,
    test_runner: TestRunner,
    example: Example,
    changes: dict[str, Any],
    cause: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pytest_rewardkit.datasets.testcode.test_runner.SECONDS", 1.0)
    reward = score_row(sandbox, row_of(example, **changes), example.row["canonical_solution"], test_runner=test_runner)
    assert reward.value is None
    assert cause in reward.reason


@pytest.mark.parametrize(
    ("example", "changes", "error"),
    [
        (HELPERS, {"test": ...}, "rows.jsonl:1: no field 'test'"),
        (HELPERS, {"test": 3}, "rows.jsonl:1: 'test' must hold a text, not 3"),
        (MBPP_CLASSES, {"test_list": []}, "'test_list' must hold at least one assertion"),
        (MBPP_CLASSES, {"test_list": ["assert ("]}, "'test_list' must hold Python"),
        (CRUX_OUTPUT, {"output": "1 +"}, "'output' must hold a Python expression"),
        (BIGCODE, {"test": "def test(): pass"}, "'test' must hold a class TestCases with tests"),
        (APPS_METHOD, {"input_output": '{"inputs": [1], "outputs": []}'}, "as many inputs as outputs"),
        (APPS_METHOD, {"input_output": "{"}, "'input_output' must hold JSON"),
        (OWN_CASES, {"expected": "x"}, "the row has 'test_cases' and 'expected'; it needs one of: cases"),
        (OWN_CASES, {"test_cases": [{"code": "1", "expcted": 2}]}, "did you mean 'expected'"),
    ],
)
def test_a_field_that_holds_something_else_is_named(example: Example, changes: dict[str, Any], error: str) -> None:
    with pytest.raises(RewardkitUsageError, match=None) as raised:
        _ = row_of(example, **changes).task
    assert error in str(raised.value)


TESTS = [{"input": "1", "output": "1", "testtype": "functional"}]


class Grudge:
    """Unpickling it makes a call, here of a function whose effect would be visible."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"private_test_cases": packed(Grudge())}, "it asks for builtins.exec"),
        ({"private_test_cases": packed(TESTS)}, "a packed text, not a packed list"),
        ({"private_test_cases": packed("[{]")}, "a list of tests"),
        ({"private_test_cases": packed("[1]")}, "a list of tests"),
        ({"private_test_cases": "AAAA"}, "packed as released"),
        ({"private_test_cases": "!"}, "packed as released"),
        ({"private_test_cases": "[", "public_test_cases": "[]"}, "'private_test_cases' must hold JSON"),
        ({"private_test_cases": "", "public_test_cases": "[]"}, "a list of tests"),
        ({"metadata": "{}"}, "'metadata' must hold JSON with func_name"),
        ({"metadata": json.dumps({"func_name": "a b"})}, "'metadata' must hold JSON with func_name"),
        ({"private_test_cases": json.dumps([{**TESTS[0], "testtype": "stdin"}])}, "all 'stdin' or all 'functional'"),
        ({"private_test_cases": json.dumps([{**TESTS[0], "input": "1 2"}])}, "lines of JSON"),
        ({"question_content": 3}, "'question_content' must hold a text"),
    ],
)
def test_a_livecodebench_row_that_is_none_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RewardkitUsageError, match=complaint):
        _ = row_of(LCB_METHOD, **changes).task


def test_livecodebench_rows_are_asked_with_their_starter_code() -> None:
    prompt = row_of(LCB_METHOD).task.prompt
    assert prompt is not None and prompt.startswith("The indices around the target.\n\nclass Solution:")
    assert row_of(LCB_PROGRAM).task.prompt == "Sort each line's numbers."


def test_long_numbers_of_livecodebench_are_equal_exactly(sandbox: Sandbox, test_runner: TestRunner) -> None:
    candidate = LCB_PROGRAM.row["reference"].replace("main()\n    exit", "print('1 100000000000000002')\n    exit")
    row = row_of(LCB_PROGRAM, public_test_cases="[]")
    assert score_row(sandbox, row, candidate, test_runner=test_runner).value == 0.0


THIRD = {"id": 1, "fn_name": "f", "inputs": [[1], [2]], "outputs": [[0.333, {"1": [1]}], [0.667, {"1": [2]}]]}
THIRDS = "class Solution:\n    def f(self, n):\n        return (n / 3, {1: (n,)})"


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 0.0),
        ({"abs_tol": 1e-9}, 0.0),
        ({"abs_tol": 0.0, "rel_tol": 0.0}, 0.0),
        ({"abs_tol": 0.001}, 1.0),
        ({"rel_tol": 0.01}, 1.0),
    ],
)
def test_what_functions_return_may_have_a_tolerance(
    sandbox: Sandbox, test_runner: TestRunner, options: dict[str, float], value: float
) -> None:
    row = Row(
        {**THIRD, "outputs": [[0.333, {"x": [1]}], [0.667, {"x": [2]}]]},
        id="1",
        place="r:1",
        format=find_format("apps"),
    )
    candidate = THIRDS.replace("{1: (n,)}", "{'x': [n]}")
    assert score_row(sandbox, row, candidate, test_runner=test_runner, **options).value == value


@pytest.mark.parametrize("options", [{"rel_tol": 0.5}, {"abs_tol": 1}])
@pytest.mark.parametrize(
    "answer", ["[n, True]", "[n, 'a']", "[n]", "[n, None]", "None", "[[n], 2]", "{0: n}", "[n, 2, 3]", "'n2'"]
)
def test_a_tolerance_is_for_numbers_alone(
    sandbox: Sandbox, test_runner: TestRunner, options: dict[str, float], answer: str
) -> None:
    row = Row({"fn_name": "f", "inputs": [[1]], "outputs": [[1, 2]]}, id="1", place="r:1", format=find_format("apps"))
    assert score_row(sandbox, row, "def f(n): return [n, 2.2]", test_runner=test_runner, **options).value == 1.0
    assert score_row(sandbox, row, f"def f(n): return {answer}", test_runner=test_runner, **options).value == 0.0


@pytest.mark.parametrize(
    ("example", "candidate"),
    [
        (
            ASSERTIONS,
            "def scale(numbers: List[float], by: Optional[float] = 2): return [float(n * by) for n in numbers]",
        ),
        (PLUS_INPUTS, "def last(l: List[int]) -> Optional[int]: return max(l, default=None)"),
        (OWN_CASES, "def add(a: Optional[int], b: Union[int, str]): return a + b"),
        (OWN_PROGRAM, "def main() -> Optional[int]:\n    print(int(input()) * 2)\nmain()"),
        (OWN_OUTPUT, "words: List[str] = ['a', 'b']\nprint(*words)"),
    ],
    ids=lambda value: value.name if isinstance(value, Example) else "",
)
def test_names_may_be_given_to_candidates(
    sandbox: Sandbox, test_runner: TestRunner, example: Example, candidate: str
) -> None:
    given = score_row(sandbox, row_of(example), candidate, test_runner=test_runner, setup="from typing import *")
    assert (given.value, [part.reason for part in given.parts if part.value != 1]) == (1.0, [])


def test_without_them_a_candidate_lacks_names(sandbox: Sandbox, test_runner: TestRunner) -> None:
    candidate = "empty = cast(int, None)\ndef last(l): return max(l, default=empty)"
    assert score_row(sandbox, row_of(PLUS_INPUTS), candidate, test_runner=test_runner).value == 0.0


@pytest.mark.parametrize(
    ("example", "option"), [(ASSERTIONS, "rel_tol"), (BIGCODE, "abs_tol"), (BIGCODE, "setup"), (CRUX_OUTPUT, "setup")]
)
def test_options_that_mean_nothing_are_refused(example: Example, option: str) -> None:
    options: dict[str, Any] = {option: "import re" if option == "setup" else 0.1}
    with pytest.raises(RewardkitUsageError, match=f"{option}= does not apply to this format"):
        score_row(None, row_of(example), "x", test_runner=None, **options)  # type: ignore[arg-type]


LONG = 10**5000 + 7


@pytest.mark.parametrize(
    ("format", "row", "right", "wrong"),
    [
        (
            "apps",
            {"fn_name": "f", "inputs": [[LONG]], "outputs": [LONG + 1]},
            "def f(n): return n + 1",
            "def f(n): return n",
        ),
        ("apps", {"inputs": [LONG], "outputs": [LONG + 1]}, "print(int(input()) + 1)", "print(input())"),
        (
            "apps",
            {"input_output": '{"inputs": [[LONG]], "outputs": ["LONG"], "fn_name": "f"}'},
            "def f(n): return str(n)",
            "def f(n): return n",
        ),
        (
            "rewardkit",
            {"cases": [{"call": "f", "args": [LONG], "expected": -LONG}]},
            "def f(n): return -n",
            "def f(n): return n",
        ),
        ("rewardkit", {"expected": LONG}, "print(10**5000 + 7)", "print(10**5000 + 8)"),
        (
            "humaneval+",
            {
                "prompt": "def f(n):\n",
                "entry_point": "f",
                "canonical_solution": "    return n\n",
                "base_input": [[LONG]],
                "plus_input": [],
            },
            "def f(n): return n",
            "def f(n): return n + 1",
        ),
    ],
)
def test_numbers_of_any_length_in_files(
    sandbox: Sandbox,
    test_runner: TestRunner,
    tmp_path: Path,
    format: str,  # noqa: A002
    row: dict[str, Any],
    right: str,
    wrong: str,
) -> None:
    digits = f"1{'7':0>5000}"
    path = tmp_path / "rows.jsonl"
    numbers = {'"LONG+1"': digits[:-1] + "8", '"-LONG"': f"-{digits}", '"LONG"': digits, "LONG": digits}
    text = json.dumps(replaced(row))
    for mark, number in numbers.items():
        text = text.replace(mark, number)
    path.write_text(text)
    [found] = open_dataset(path)
    row_read = Row(found, id="1", place="rows.jsonl:1", format=find_format(format))
    assert score_row(sandbox, row_read, right, test_runner=test_runner).value == 1.0
    assert score_row(sandbox, row_read, wrong, test_runner=test_runner).value == 0.0


def replaced(value: Any) -> Any:
    """A value with a mark instead of each number that Python cannot write."""
    marks = {LONG: "LONG", LONG + 1: "LONG+1", -LONG: "-LONG"}
    if isinstance(value, dict):
        return {name: replaced(item) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item) for item in value]
    return marks.get(value, value)
