"""Graders are tried with attacks, mutants and repetition: weak ones are named, strong ones are not."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


def graders(tests: str, *, reference: str) -> str:
    """A file of tests that take a candidate, with a reference that is known to be good."""
    head = f"""
import pytest

@pytest.fixture
def candidate(): ...

@pytest.fixture
def reference():
    return {reference!r}
"""
    return head + textwrap.dedent(tests)


GRADERS = '''
import pytest
from pytest_rewardkit import assert_cases, assert_output

REFERENCE = """
def most(numbers):
    best = numbers[0]
    for number in numbers:
        if number > best:
            best = number
    return best
"""
CASES = [([3, 9, 2], 9), ([-5, -2], -2), ([7], 7), ([1, 1, 4], 4), ([8, 2], 8)]


@pytest.fixture
def candidate():
    raise RuntimeError("this would ask a model")


@pytest.fixture
def reference():
    return f"Look at each number once:\\n\\n```python{REFERENCE}```\\n"


def cases(chosen):
    return [{"call": "most", "args": [numbers], "expected": expected} for numbers, expected in chosen]
'''
STRONG = """
def test_strong(sandbox, candidate):
    assert_cases(sandbox, candidate, cases=cases(CASES))
"""
WEAK = """
from pytest_rewardkit import extract_code

def test_substring(sandbox, candidate):
    execution = sandbox.run_code(extract_code(candidate) + "\\nprint(most([3, 9, 2]))")
    assert "9" in "".join(execution.logs.stdout)


def test_one_case(sandbox, candidate):
    assert_cases(sandbox, candidate, cases=cases(CASES[3:4]))


def test_runs(sandbox, candidate):
    assert sandbox.run_code(extract_code(candidate)).error is None


def test_same_process(sandbox, candidate):
    checks = "\\nassert most([3, 9, 2]) == 9\\nassert most([8, 2]) == 8\\n"
    script = sandbox.files.write("check.py", extract_code(candidate) + checks)
    assert "Error" not in sandbox.commands.run(f"python3 {script.path} 2>&1 || true").stdout
"""


@pytest.fixture
def run(plain: Run) -> Run:
    return lambda *args: plain("--tb=short", "-p", "no:cacheprovider", *args)


def results(pytester: pytest.Pytester, name: str = "r.jsonl") -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in pytester.path.joinpath(name).read_text().splitlines()]
    return {line["node_id"].removeprefix("test_graders.py::"): line for line in lines if line["type"] == "attempt"}


def parts(line: dict[str, Any], *, lost: bool = True) -> list[str]:
    return [part["name"] for part in line["parts"] if (part.get("value") != 1) == lost]


def test_attacks_name_weak_graders_with_the_exploit_and_no_strong_one(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(test_graders=GRADERS + STRONG + WEAK)
    result = run("--rewardkit-selfcheck=attacks", "--rewardkit-results=r.jsonl")
    found = results(pytester)
    assert found["test_strong[attacks]"]["reward"] == 1.0
    assert found["test_one_case[attacks]"]["reward"] == 1.0, "what lets no attack in is a matter of mutants"
    assert "prints-every-number" in parts(found["test_substring[attacks]"])
    assert parts(found["test_runs[attacks]"]) == ["empty"]
    assert {"exits-well", "exits-at-once", "equals-everything"} <= set(parts(found["test_same_process[attacks]"]))
    assert "comment" in parts(found["test_same_process[attacks]"], lost=False)
    result.assert_outcomes(passed=2, failed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*= self-check of graders =*",
            "grader * attacks",
            "test_graders.py::test_strong * none pays",
            "test_graders.py::test_substring * of * pay",
            "test_graders.py::test_runs: 1 of * attacks pay: empty 1.00",
            "graders that pay for an attack: 3 of 5",
        ]
    )
    assert "a model" not in result.stdout.str()


def test_mutants_tell_kill_rates_and_show_survivors(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(test_graders=GRADERS + STRONG + WEAK)
    result = run("--rewardkit-selfcheck=mutants", "--rewardkit-results=r.jsonl", "-v")
    result.assert_outcomes(passed=5)
    found = results(pytester)
    assert parts(found["test_strong[mutants]"]) == ["line 4: if number > best: -> if number >= best:"], "equivalent"
    survivors = parts(found["test_one_case[mutants]"])
    assert "line 2: best = numbers[0] -> best = numbers[1]" in survivors
    assert found["test_runs[mutants]"]["reward"] == 0
    (first,) = [part for part in found["test_strong[mutants]"]["parts"] if part["value"] == 0]
    assert (first["expected"], first["actual"]) == ("        if number > best:", "        if number >= best:")
    result.stdout.fnmatch_lines(["*test_strong: survived: line 4: if number > best: -> if number >= best:"])
    result.stdout.fnmatch_lines(["mutants killed: * of * (*%)"])


@pytest.mark.parametrize(
    ("table", "ret", "line"),
    [
        ("min_kill_rate = 0.5", 1, "gate FAILED: kill rate < 0.5 of 1 of 2 graders: *test_runs[[]mutants[]] 0.00"),
        ("groups.strict = {select = 'strong', min_kill_rate = 0.5}", 0, "gate strict passed: kill rate >= 0.5 of 1 *"),
        ("fail_under = 1\nmin_pass_rate = 1", 0, "mutants killed: *"),
    ],
)
def test_a_gate_for_those_who_want_it(pytester: pytest.Pytester, run: Run, table: str, ret: int, line: str) -> None:
    runs = WEAK[: WEAK.index("def test_substring")] + WEAK[WEAK.index("def test_runs") : WEAK.index("def test_same")]
    pytester.makepyfile(test_graders=GRADERS + STRONG + runs)
    pytester.makepyprojecttoml(f"[tool.rewardkit]\n{table}\n")
    result = run("--rewardkit-selfcheck=mutants")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([line])
    assert result.ret == ret
    assert "without --rewardkit" not in result.stdout.str()


def test_candidates_are_not_held_against_what_is_asked_of_graders(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile("def test_it(reward):\n    reward.record(1)\n")
    pytester.makepyprojecttoml("[tool.rewardkit]\nmin_kill_rate = 1\n")
    result = run("--rewardkit")
    assert result.ret == 0
    assert "gate" not in result.stdout.str()
    assert "without --rewardkit" not in run().stdout.str()


def test_flakes(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_graders=graders(
            """
            import itertools

            TURNS = itertools.cycle([1.0, 1.0, 0.75])

            def test_stable(candidate, reward):
                reward.record(0.5)

            @pytest.mark.reward(threshold=0.5)
            def test_turning(candidate, reward):
                reward.record(next(TURNS))
            """,
            reference="x = 1",
        )
    )
    result = run("--rewardkit-selfcheck=flakes", "--rewardkit-selfcheck-limit=6", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_graders.py::test_stable   stable",
            "test_graders.py::test_turning  2 of 6 differ",
            "test_graders.py::test_turning: 2 of 6 runs differ: 1.00 4 times, 0.75 2 times",
            "graders that are not stable: 1 of 2",
        ]
    )


# No sandbox: these graders judge texts.
TEXTS = graders(
    """
    def test_exact(candidate):
        assert "return (a + b) * 2 - 1" in candidate

    def test_any(candidate):
        assert True
    """,
    reference="def f(a, b):\n    return (a + b) * 2 - 1\n",
)


def test_several_checks_at_once_and_a_limit_that_says_so(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(test_graders=TEXTS)
    options = ("--rewardkit-selfcheck=references,mutants,attacks", "--rewardkit-selfcheck-limit=3")
    result = run(*options, "--rewardkit-results=r.jsonl")
    found = results(pytester)
    assert found["test_exact[mutants]"]["reason"].startswith("3 of 3 mutants killed (3 of ")
    assert [len(found[name]["parts"]) for name in sorted(found)] == [3, 3, 3, 3]
    result.stdout.fnmatch_lines(["*test_any[[]empty[]]: an empty candidate passes", "3 right, 1 broken"])
    result.stdout.fnmatch_lines(["test_graders.py::test_any    1 of 3 pay  0 of 3 killed"])
    result.assert_outcomes(passed=6, failed=2)
    run(*options, "--rewardkit-results=again.jsonl")
    again = results(pytester, "again.jsonl")
    for name, line in found.items():
        assert [part["name"] for part in line["parts"]] == [part["name"] for part in again[name]["parts"]]


def test_each_candidate_meets_fresh_fixtures(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_graders=graders(
            """
            @pytest.fixture(scope="module")
            def once():
                return []

            @pytest.fixture
            def fresh(once):
                once.append("made")
                yield []
                once.append("ended")

            @pytest.mark.reward(threshold=1)
            def test_it(fresh, once, candidate, reward, record_property):
                assert fresh == []
                assert once == ["made", "ended"] * (len(once) // 2) + ["made"]
                fresh.append(candidate)
                record_property("seen", candidate)
                reward.record(candidate == "x = 1 + 2")
            """,
            reference="x = 1 + 2",
        )
    )
    result = run("--rewardkit-selfcheck=attacks,mutants,flakes", "--junitxml=j.xml", "-v", "-ojunit_family=legacy")
    result.assert_outcomes(passed=3)
    assert "seen" not in pytester.path.joinpath("j.xml").read_text()
    result.stdout.fnmatch_lines(["test_graders.py::test_it  none pays  * of * killed  stable"])


def test_what_cannot_be_checked_is_listed_with_the_line_that_mends_it(pytester: pytest.Pytester, run: Run) -> None:
    pytester.path.joinpath("rows.jsonl").write_text(json.dumps({"id": "a", "code": "x = 1", "reference": "x = 1"}))
    pytester.makepyfile(
        test_graders="""
        import pytest

        @pytest.fixture
        def candidate():
            return "x"

        def test_own(reward):
            reward.record("x" == "x")

        @pytest.mark.parametrize("candidate", ["x = 1", "x = 2", "x = 3"])
        def test_several(candidate, reference):
            assert candidate

        @pytest.mark.reward_dataset("rows.jsonl")
        def test_field(row, reward):
            reward.record(row["code"] == "x = 1")

        def test_unrelated():
            pass
        """,
        test_wide="""
        import pytest

        @pytest.fixture(scope="module")
        def candidate():
            raise RuntimeError("a model was asked")

        @pytest.fixture
        def reference():
            return "x = 1"

        def test_wide(candidate):
            pass
        """,
        test_other_language=graders(
            """
            def test_script(candidate):
                assert candidate == "function f() { return 1; }"
            """,
            reference="function f() { return 1; }",
        ),
    )
    result = run("--rewardkit-selfcheck=mutants")
    result.assert_outcomes(skipped=5)
    result.stdout.fnmatch_lines(
        [
            "*not checked: its candidate cannot be replaced; let the test take it from the fixture `candidate`*",
            "      test_graders.py::test_own",
        ]
    )
    text = result.stdout.str()
    assert text.count("test_several[") == 1
    assert "1 test not checked: its reference is no Python" in text
    assert "1 test not checked: the fixture `candidate` has the scope module; give it the scope function" in text
    assert "1 test not checked: the test takes no candidate from `row.candidate`" in text
    assert "1 test not checked: there is no reference; give the row one, or override the fixture `reference`" in text
    assert "a model was asked" not in text
    assert "test_unrelated" not in text


def test_rows_are_graders_too(pytester: pytest.Pytester, run: Run) -> None:
    row = {
        "prompt": 'def double(n):\n    """ Twice n. """\n',
        "entry_point": "double",
        "canonical_solution": "    return 2 * n\n",
    }
    rows = [
        {**row, "task_id": "good", "test": "def check(f):\n    assert f(2) == 4\n    assert f(-1) == -2\n"},
        {**row, "task_id": "one", "test": "def check(f):\n    assert f(2) == 4\n"},
    ]
    pytester.path.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pytester.makepyfile(
        test_graders="""
        import pytest
        from pytest_rewardkit import assert_row

        @pytest.mark.reward_dataset("rows.jsonl", format="humaneval")
        def test_row(sandbox, row):
            assert_row(sandbox, row)
        """
    )
    run("--rewardkit-selfcheck=attacks,mutants", "--rewardkit-results=r.jsonl")
    found = results(pytester)
    assert all(part.get("value") != 0 for part in found["test_row[good-attacks]"]["parts"])
    assert found["test_row[good-attacks]"]["row"] == "good"
    assert parts(found["test_row[good-mutants]"]) == []
    assert any("2 * n -> return 2 + n" in name for name in parts(found["test_row[one-mutants]"]))


def test_a_reference_that_does_not_pass_is_a_broken_grader(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_graders=graders(
            """
            def test_never(candidate):
                assert candidate == "y"
            """,
            reference="x = 1",
        )
    )
    result = run("--rewardkit-selfcheck=attacks,mutants,flakes")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "test_graders.py::test_never  broken   broken   broken",
            "test_graders.py::test_never: the reference does not pass: *",
            "graders that pay for an attack: 0 of 1, 1 broken",
        ]
    )


def test_what_cannot_be_told_is_unscored_and_tried_again(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_graders=graders(
            """
            import os
            from pytest_rewardkit import UnscoredError

            def test_fine(candidate):
                assert candidate.rstrip().endswith("x = 1 + 1")

            def test_lost(candidate):
                if "-" in candidate and "LOST" in os.environ:
                    raise UnscoredError("the sandbox is gone")
                assert candidate.rstrip().endswith("x = 1 + 1")
            """,
            reference="x = 1 + 1",
        )
    )
    pytester.makepyprojecttoml("[tool.rewardkit]\nmin_kill_rate = 0.1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOST", "1")
        result = run("--rewardkit-selfcheck=mutants", "--rewardkit-results=r.jsonl")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_graders.py::test_lost  ?",
            "*test_lost: nothing can be said of 1 of * candidates: line 1: x = 1 + 1 -> x = 1 - 1: the sandbox is gone",
            "mutants killed: *, 1 could not be told",
            "gate FAILED: kill rate < 0.1 of 1 of 2 graders: test_graders.py::test_lost[[]mutants[]] 0.00",
        ]
    )
    assert results(pytester)["test_lost[mutants]"]["reward"] is None
    again = run("--rewardkit-selfcheck=mutants", "--rewardkit-resume=r.jsonl", "--rewardkit-results=again.jsonl")
    again.assert_outcomes(passed=2)
    again.stdout.fnmatch_lines(["gate passed: kill rate >= 0.1 of 2 graders"])
    found = results(pytester, "again.jsonl")
    assert [found[name].get("kept") for name in ("test_fine[mutants]", "test_lost[mutants]")] == [True, None]
    stored = run("--rewardkit", "--rewardkit-from=again.jsonl")
    stored.stdout.fnmatch_lines(["test_graders.py::test_fine  * killed", "mutants killed: *"])


def test_html_shows_graders_and_escapes_what_they_are_tried_with(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_graders=graders(
            """
            def test_any(candidate):
                pass
            """,
            reference="x = '</script><script>alert(1)</script>' + '1'",
        )
    )
    run("--rewardkit-selfcheck=attacks,mutants", "--rewardkit-html=r.html")
    page = pytester.path.joinpath("r.html").read_text()
    assert "<script>alert(1)" not in page
    assert "Mutants killed" in page
    assert "Graders that pay for an attack" in page
    assert "survived: line 1: x =" in page


def test_paths_are_no_checks(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(test_graders=TEXTS)
    result = run("--rewardkit-selfcheck", "test_graders.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--rewardkit-selfcheck: unknown check 'test_graders.py'*write references*"])
    run("test_graders.py", "--rewardkit-selfcheck").stdout.fnmatch_lines(["3 right, 1 broken"])
