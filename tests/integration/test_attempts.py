"""Attempts are separate tests; the summary has their combined result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


def test_each_attempt_is_a_test(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward(attempts=5, reduce="pass_at_2", threshold=0.5)
        def test_lucky(attempt, reward):
            reward.record(0.6 if attempt in (2, 4) else 0.1)

        @pytest.mark.reward(attempts=2)
        def test_unaware(reward):
            reward.record(0.25)

        def test_once(attempt):
            assert attempt == 1
        """
    )
    result = run("-v")
    result.assert_outcomes(passed=5, failed=3)
    text = result.stdout.str()
    assert "test_lucky[attempt1]" in text and "test_unaware[attempt2]" in text
    # 2 of 5 attempts succeeded: 1 - C(3, 2) / C(5, 2).
    result.stdout.fnmatch_lines(["pass@2 0.700 over 1 in *::test_lucky", "mean 0.250 over 1 in *::test_unaware"])


def test_attempts_of_rows_are_reduced_row_by_row(pytester: pytest.Pytester, run: Run) -> None:
    rows = [{"id": "a-attempt1", "needs": 1}, {"id": "b", "needs": 3}]
    samples = [("a-attempt1", "1"), ("b", "1"), ("b", "3"), ("a-attempt1", "0"), ("b", "0")]
    pytester.path.joinpath("single.jsonl").write_text('{"id": "b", "candidate": "3"}\n')
    pytester.path.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pytester.path.joinpath("samples.jsonl").write_text(
        "".join(json.dumps({"id": name, "candidate": text}) + "\n" for name, text in samples)
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward(reduce="pass_at_1")
        @pytest.mark.reward_dataset("rows.jsonl", samples="samples.jsonl")
        def test_row(row, candidate, attempt, reward):
            assert 1 <= attempt <= 3
            reward.record(float(int(candidate) == row["needs"]))

        @pytest.mark.reward(attempts=3, reduce="pass_all_3")
        @pytest.mark.reward_dataset("rows.jsonl")
        def test_asked(row, attempt, reward):
            reward.record(float(attempt <= row["needs"]))

        @pytest.mark.reward(reduce="pass_at_3")
        @pytest.mark.reward_dataset("rows.jsonl", samples="samples.jsonl")
        def test_too_few(row, candidate, reward):
            reward.record(1.0)

        @pytest.mark.reward(reduce="pass_at_3")
        @pytest.mark.reward_dataset("rows.jsonl", samples="single.jsonl")
        def test_single(row, candidate, reward):
            reward.record(1.0)

        @pytest.mark.reward(reduce="pass_at_1")
        @pytest.mark.reward_dataset("rows.jsonl", samples="single.jsonl")
        def test_no_success(row, candidate, reward):
            reward.record(0.5)
        """
    )
    result = run()
    result.assert_outcomes(passed=20)
    result.stdout.fnmatch_lines(
        [
            "pass@1 0.417 over 2 in *::test_row",  # (1/2 + 1/3) / 2
            "pass^3 0.500 over 2 in *::test_asked",
            "pass@3 undefined over 2 in *::test_too_few, too few scored attempts at 1",
            "pass@3 undefined over 2 in *::test_single, too few scored attempts at 2",
            "pass@1 0.000 over 2 in *::test_no_success",
        ]
    )


def test_what_attempts_come_to_is_the_tests_reward_everywhere(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.parametrize("task", ["p", "q"])
        @pytest.mark.reward(attempts=4, reduce="pass_at_2", threshold=0.5, group="lucky", must_pass=True)
        @pytest.mark.xfail(strict=False, reason="single attempts may fail")
        def test_lucky(task, attempt, reward):
            reward.record(1.0 if attempt in (2, 4) else 0.0)

        def test_once(reward):
            reward.record(0.5)
        """
    )
    pytester.makepyprojecttoml("[tool.rewardkit.groups.lucky]\nfail_under = 0.8\nmin_pass_rate = 1")
    options = ("--rewardkit-fail-under=0.7", "--rewardkit-html=report.html")
    shown = [
        "0.50 * partial * test_suite.py::test_once",
        "0.83 * partial * test_suite.py::test_lucky[[]p]*",
        "0.83 * partial * test_suite.py::test_lucky[[]q]*",
        "mean 0.72 over 3 scored tests in 9 attempts",
        "3 partial",
        "gate passed: mean 0.72 >= 0.7",
        "gate lucky passed: mean 0.83 >= 0.8; pass rate 1.00 >= 1, 2 of 2 passed",
        "gate must_pass passed: 2 tests that must pass did",
        "pass@2 0.833 over 2 in *::test_lucky",
    ]
    first = run("--rewardkit-results=results.jsonl", *options)
    again = run("--rewardkit-from=results.jsonl", *options)
    for result in (first, again):
        result.stdout.fnmatch_lines(shown)
        assert result.ret == 0
    lines = [json.loads(line) for line in pytester.path.joinpath("results.jsonl").read_text().splitlines()]
    tasks = [line.get("task", "").rpartition("::")[2] for line in lines if line["type"] == "attempt"]
    assert sorted(tasks) == ["", *["test_lucky[p]"] * 4, *["test_lucky[q]"] * 4]
    assert "test_lucky[p]" in pytester.path.joinpath("report.html").read_text()
    compared = run("--rewardkit-baseline=results.jsonl", "--rewardkit-fail-on=regression")
    compared.stdout.fnmatch_lines(["baseline results.jsonl: 3 same", "mean of the 3 tests in both*"])


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ("attempts=0", "*test_it: @pytest.mark.reward: attempts must be a whole number, 1 or more, not 0"),
        ("attempts='3'", "*attempts must be a whole number, 1 or more, not '3'"),
        ("attempts=2, reduce='pas_at_1'", "*no reducer 'pas_at_1'*"),
        ("reduce='pass_at_k'", "*reduce='pass_at_k' needs a number of attempts for its k*"),
        ("attempts=3, reduce='pass_at_5'", "*reduce='pass_at_5' takes 5 attempts, and attempts=3 are fewer*"),
        ("reduce='pass_at_3'", "*reduce='pass_at_3' takes 3 attempts; add attempts=3, or more"),
        ("attempts=1, reduce='pass_all_2'", "*reduce='pass_all_2' takes 2 attempts, and attempts=1 are fewer*"),
        (
            "attempts=3, reduce='pass_at_1', threshold=0",
            "*reduce='pass_at_1' counts successes, and every reward reaches threshold=0; set one above 0*",
        ),
        ("reduce='at_least_2', threshold=1e-12", "*every reward reaches threshold=1e-12*"),
    ],
)
def test_wrong_keywords_are_named(pytester: pytest.Pytester, keywords: str, error: str) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.reward({keywords})
        def test_it(): ...
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([error])
