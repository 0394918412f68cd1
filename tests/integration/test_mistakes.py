"""Mistakes in tests: each is reported in a few lines, with its place and the nearest right spelling."""

import re

import pytest

MAX_LINES = 12

SUITE = """
import pytest
from pytest_rewardkit import Case, FileCheck, Part, assert_analysis, assert_cases, assert_files, assert_output
from pytest_rewardkit import assert_reward, assert_row, evaluate_dataset

GOOD = "def add(a, b): return a + b"


def add(**fields):
    return [Case(call="add", args=[1, 2], **fields)]


@pytest.fixture(scope="session")
def shared(sandbox):
    return sandbox


class Fake:
    def run_code(self, code): ...
"""

MISTAKES = {
    "Case(call='add', args=[1, 2])": "case 'add(1, 2)': nothing to check: give expected=, raises= or checker=",
    "Case(code='1', call='add', expected=1)": "case 'add()': give one of code=, call= and stdin=, not code and call",
    "Case(call='add', args=[1, 2], expected=3, weight=-1)": "'add(1, 2)': weight must be a finite number, 0 or more",
    "Case(call='add', args=[1, 2], expected=3, time_limit=0)": "'add(1, 2)': time_limit must be a number of",
    "Case(call='add', args=3, expected=3)": "case 'add()': args must be a list of arguments, as [3], not 3",
    "Case(call='add', args='ab', expected=3)": "args must be a list of arguments, as ['ab'], not 'ab'",
    "Case(call='add', kwargs=[1], expected=3)": "case 'add()': kwargs must be a mapping of names to arguments",
    "assert_cases(Fake(), GOOD, cases=[{'call': 'add', 'args': 3, 'expected': 3}])": "case 'add()': args must be",
    "assert_cases(Fake(), GOOD, cases=[{'cal': 'add'}])": "no field 'cal' in a case; did you mean 'call'?",
    "assert_cases(Fake(), GOOD, cases=add(expected=3)[0])": "cases must be a list of cases, not Case",
    "assert_cases(Fake(), GOOD, cases=[])": "no cases were given: nothing would be checked",
    "assert_cases(GOOD, Fake(), cases=add(expected=3))": "score_cases: sandbox and candidate are swapped; the sandbox",
    "assert_output(GOOD, Fake(), expected='1')": "score_output: sandbox and candidate are swapped; the sandbox comes",
    "assert_output(Fake(), None, expected='1')": "score_output: candidate must be text, not None",
    "assert_cases(Fake(), None, cases=add(expected=3))": "score_cases: candidate must be text, not None",
    "assert_files(Fake(), None, files=[FileCheck(path='a', content='1')])": "score_files: candidate must be text, not",
    "assert_analysis(Fake(), b'1', insights=['a'])": "score_analysis: candidate must be text, not b'1'",
    "assert_output(None, GOOD, expected='1')": "score_output: sandbox must be a Sandbox, as the fixture",
    "assert_output(Fake(), GOOD, expected='1', time_limit=0)": "time_limit must be a number of seconds over 0, not 0",
    "assert_output(Fake(), GOOD, expected='1', timelimit=3)": "'timelimit'; did you mean 'time_limit'?",
    "assert_output(Fake(), GOOD)": "missing 1 required positional argument: 'expected'",
    "assert_output(Fake(), GOOD, expected='1', compare='excat')": "no comparison 'excat'; did you mean 'exact'?",
    "assert_files(Fake(), '1', files=[FileCheck(path='a', type='creat')])": "no operation 'creat'; did you mean",
    "assert_reward(1.0, threshold=50)": "threshold must be a number in [0, 1], not 50",
    "assert_reward(1.5)": "assert_reward: a reward is a number in [0, 1], not 1.5\n",
    "reward.record(1.0, weight='a')": "reward 'reward': weight must be a finite number, 0 or more, not 'a'",
    "reward.record(1.0, name=3)": "the name of a reward must be text, not 3",
    "reward.record(1.0, reason=None)": "the reason of reward 'reward' must be text, not None",
    "assert_cases(Fake(), GOOD, cases=None)": "cases must be a list of cases, not NoneType",
    "assert_files(Fake(), GOOD, files=3)": "files must be a list of checks, not int",
    "assert_analysis(Fake(), GOOD, insights=3)": "insights must be a list, not int",
    "assert_analysis(Fake(), GOOD, charts=3)": "charts must be a list of checks, not int",
    "assert_analysis(Fake(), GOOD, insights=[float('nan')])": "number of an insight must be a number, not nan",
    "assert_analysis(Fake(), GOOD, datasets=['none.csv'], insights=['a'])": "datasets must be paths, or a mapping",
    "assert_row(Fake(), {'id': 1})": "row must be a Row, as the fixture `row` gives it, not {'id': 1}",
    "evaluate_dataset('rows.jsonl')": "the first argument is a function, so write dataset_path=",
    "Part(3, 1.0)": "the name of a part must be text, not 3",
    "reward.record(75)": "reward.record: a reward is a number in [0, 1], not 75; 75 of 100 is 0.75",
}


def failures(result):
    """Return the text of each failure, by the name of its test."""
    text = result.stdout.str()
    found = re.finditer(
        r"\n_{3,} (?:ERROR at setup of )?(\S+) _{3,}\n(.*?)(?=\n_{3,} |\n-{3,} |\n={3,} )", text, re.DOTALL
    )
    return {failure[1]: failure[2] for failure in found}


def check(texts, name, said, most=MAX_LINES):
    text = texts[name]
    assert said in text
    assert len(text.splitlines()) <= most, text
    assert "During handling" not in text
    assert "direct cause" not in text


def test_mistakes_in_calls(plain, pytester):
    tests = [f"def test_{number}(reward):\n    {call}\n" for number, call in enumerate(MISTAKES)]
    pytester.makepyfile(SUITE + "\n\n" + "\n\n".join(tests))
    result = plain()
    result.assert_outcomes(failed=len(MISTAKES))
    texts = failures(result)
    for number, (call, said) in enumerate(MISTAKES.items()):
        check(texts, f"test_{number}", said)
        assert f">       {call}" in texts[f"test_{number}"]


def test_mistakes_about_sandboxes(plain, pytester):
    pytester.path.joinpath("rows.jsonl").write_text('{"id": "a", "answer": "x = 1", "expected": "1"}\n')
    pytester.path.joinpath("bench.jsonl").write_text(
        '{"task_id": "a", "prompt": "", "entry_point": "f", "test": "def check(c): pass", "completion": ""}\n'
    )
    pytester.makepyfile(
        SUITE
        + """
@pytest.mark.sandbox(memory_mb=1)
def test_little_memory(sandbox): ...

@pytest.mark.sandbox(memory_mb="a lot")
def test_wrong_memory(sandbox): ...

@pytest.mark.sandbox(template="nonsense")
def test_template(sandbox):
    sandbox.run_code("1")

@pytest.mark.sandbox(templat="nonsense")
def test_keyword(sandbox): ...

def test_factory(sandbox_factory):
    sandbox_factory(memory="1")

@pytest.mark.reward_dataset("rows.jsonl")
def test_candidate(row, candidate): ...

@pytest.mark.reward_dataset("rows.jsonl")
def test_row(row):
    assert_row(Fake(), row)

@pytest.mark.reward_dataset("bench.jsonl", format="humaneval")
def test_benchmark(row, candidate): ...

def test_session(shared): ...

def test_not_awaited(async_sandbox):
    async_sandbox.run_code("1")

def test_asynchronous(async_sandbox):
    assert_output(async_sandbox, "1", expected="1")
"""
    )
    texts = failures(plain())
    check(
        texts, "test_little_memory", "@pytest.mark.sandbox: memory_mb must be a whole number of at least 16, not 1", 2
    )
    check(texts, "test_wrong_memory", "memory_mb must be a whole number of at least 16, not 'a lot'", 2)
    check(texts, "test_template", "template 'nonsense' not found; known are: base, code-interpreter-v1", 2)
    check(texts, "test_keyword", "unknown keyword 'templat'; did you mean 'template'?", 2)
    check(texts, "test_factory", "sandbox_factory: unknown keyword 'memory'; did you mean 'memory_mb'?", 2)
    fields = "its fields are id, answer, expected. Name the one that is, as fields={'candidate': 'answer', ...}"
    check(texts, "test_candidate[a]", fields, 2)
    check(texts, "test_row[a]", fields)
    check(texts, "test_benchmark[a]", "a benchmark's own 'completion' is not taken for a candidate", 2)
    check(texts, "test_session", "--rewardkit-sandbox-scope=session shares one sandbox with all of a session")
    check(
        texts,
        "test_not_awaited",
        "'AsyncSandbox.run_code' was never awaited, so nothing of it ran; write `async def`",
        2,
    )
    check(texts, "test_asynchronous", "takes a sandbox of the fixture `sandbox`, not an asynchronous one")


@pytest.mark.parametrize(("option", "file"), [("html", "r.html"), ("results", "r.jsonl")])
def test_a_file_that_cannot_be_written_is_named_itself(run, pytester, option, file):
    pytester.path.joinpath("file").write_text("")
    pytester.makepyfile("def test_it(reward): reward.record(1.0)")
    result = run(f"--rewardkit-{option}=file/{file}")
    assert result.ret != 0
    said = result.stdout.str() + result.stderr.str()
    assert str(pytester.path / "file" / file) in said
    assert f".{file}." not in said


def test_too_little_memory_for_the_run_is_refused(plain, pytester):
    plain("--rewardkit-memory-mb=1").stderr.fnmatch_lines(
        ["ERROR: --rewardkit-memory-mb: must be at least 16, not '1'"]
    )
