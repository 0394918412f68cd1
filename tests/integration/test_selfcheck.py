"""``--rewardkit-selfcheck`` names graders that pass what they should not, or fail what they should pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

ROWS = [
    {"id": "right", "reference": "print(1)", "expected": "1"},
    {"id": "wrong reference", "reference": "print(2)", "expected": "1"},
    {"id": "takes anything", "reference": "", "expected": ""},
    {"id": "none", "expected": "1"},
]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.path.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    pytester.path.joinpath("samples.jsonl").write_text(
        "".join(json.dumps({"id": row["id"], "candidate": "print(7)"}) + "\n" for row in ROWS for _ in range(2))
    )
    return pytester


def test_broken_graders_are_named(suite: pytest.Pytester, run: Run) -> None:
    suite.makepyfile(
        """
        import pytest

        def printed(candidate):
            return candidate.removeprefix("print(").removesuffix(")")

        @pytest.mark.reward_dataset("rows.jsonl", samples="samples.jsonl")
        def test_row(row, reward):
            got = printed(row.candidate)
            assert got == row["expected"]

        def test_of_no_candidate():
            assert False
        """
    )
    result = run("--rewardkit-selfcheck", "-rs")
    result.assert_outcomes(passed=5, failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*self-check of graders*",
            "*test_row[[]takes anything-empty[]]: an empty candidate passes",
            "*test_row[[]wrong reference-reference[]]: the reference does not pass: *",
        ],
        consecutive=False,
    )
    result.stdout.fnmatch_lines(["5 right, 2 broken, 1 without a reference"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_candidates_of_fixtures_are_replaced_unasked(suite: pytest.Pytester, run: Run) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.fixture
        def candidate():
            raise RuntimeError("a model was asked")

        @pytest.fixture
        def reference():
            return "def add(a, b): return a + b"

        @pytest.mark.reward(threshold=0.5)
        def test_add(candidate, reward):
            reward.record(1.0 if "return a + b" in candidate else 0.0)

        def test_lenient(candidate):
            assert candidate is not None

        @pytest.mark.reward(threshold=0.5)
        def test_strict(candidate, reward):
            reward.record(0.4)
        """
    )
    result = run("--rewardkit-selfcheck")
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_lenient[[]empty[]]: an empty candidate passes",
            "*test_strict[[]reference[]]: the reference does not pass: reward 0.40 < threshold 0.5*",
            "4 right, 2 broken",
        ],
        consecutive=False,
    )
    assert "a model was asked" not in result.stdout.str()


def test_what_cannot_be_told_is_no_broken_grader(suite: pytest.Pytester, run: Run) -> None:
    suite.makepyfile(
        """
        import pytest
        from pytest_rewardkit import UnscoredError

        @pytest.fixture
        def reference():
            return "x"

        @pytest.fixture
        def candidate(): ...

        def test_lost(candidate):
            raise UnscoredError("the sandbox is gone")
        """
    )
    result = run("--rewardkit-selfcheck")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["0 right, 0 broken, 2 that could not be told"])


def test_rows_in_benchmarks_formats_are_checked_by_their_references(suite: pytest.Pytester, run: Run) -> None:
    row = {
        "task_id": "HumanEval/0",
        "prompt": 'def double(n):\n    """ Twice n. """\n',
        "entry_point": "double",
        "canonical_solution": "    return 2 * n\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n",
    }
    broken = {**row, "task_id": "HumanEval/1", "test": "def check(candidate):\n    assert candidate(2) == 5\n"}
    lenient = {**row, "task_id": "HumanEval/2", "test": "def check(candidate):\n    assert True\n"}
    rows = [row, broken, lenient]
    suite.path.joinpath("humaneval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite.makepyfile(
        """
        import pytest
        from pytest_rewardkit import assert_row

        @pytest.mark.reward_dataset("humaneval.jsonl", format="humaneval")
        def test_humaneval(sandbox, row):
            assert_row(sandbox, row)
        """
    )
    result = run("--rewardkit-selfcheck")
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*the row's test says nothing of a candidate: one that does nothing passes it too",
            "*test_humaneval[[]HumanEval/1-reference[]]: the reference does not pass: *",
            "4 right, 1 broken, 1 that could not be told",
        ],
        consecutive=False,
    )
