"""Tests from dataset files: one item per row, named by the row's id, the same with any number of workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

ROWS = [
    {"id": "sum/one", "prompt": "p", "expected": "1"},
    {"id": "sum [2] é", "prompt": "p", "expected": "2"},
    {"id": 3, "prompt": "p", "expected": "3"},
]

PLAIN_TEST = """
    import pytest

    @pytest.mark.reward_dataset("rows.jsonl")
    def test_row(row):
        assert row["expected"] != "2"
"""


def write_rows(pytester: pytest.Pytester, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> None:
    pytester.path.joinpath(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    write_rows(pytester, ROWS)
    pytester.makepyfile(PLAIN_TEST)
    return pytester


def test_one_row_is_one_test(suite: pytest.Pytester, plain: Run) -> None:
    result = plain("-v")
    result.assert_outcomes(passed=2, failed=1)
    text = result.stdout.str()
    for name in ("test_row[sum/one]", r"test_row[sum [2] \xe9]", "test_row[3]"):
        assert name in text


def test_rows_are_selected_by_k_node_id_and_last_failure(suite: pytest.Pytester, plain: Run) -> None:
    plain("-k", "one").assert_outcomes(passed=1)
    module = next(suite.path.glob("test_*.py")).name
    plain(f"{module}::test_row[3]").assert_outcomes(passed=1)
    plain(f"{module}::test_row[sum [2] \\xe9]").assert_outcomes(failed=1)
    plain("--lf").assert_outcomes(failed=1)


def test_a_row_is_read_when_its_test_runs(pytester: pytest.Pytester, plain: Run) -> None:
    write_rows(pytester, ROWS)
    pytester.makeconftest(
        """
        import os, pytest

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(session):
            if session.items:
                path = session.config.rootpath / "rows.jsonl"
                changed = path.with_suffix(f".{os.getpid()}")  # another worker may be reading
                changed.write_text(path.read_text().replace('"expected": "1"', '"expected": "9"'))
                changed.replace(path)
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward_dataset("rows.jsonl", limit=1)
        def test_row(row):
            assert row["expected"] == "9"
        """
    )
    plain().assert_outcomes(passed=1)


def test_rows_speak_of_their_own_tests(pytester: pytest.Pytester, run: Run) -> None:
    write_rows(
        pytester,
        [
            {"id": "low", "got": 0.4, "threshold": 0.3},
            {"id": "high", "got": 0.4, "threshold": 0.5},
            {"id": "default", "got": 0.4},
            {"id": "skipped", "got": 0.4, "skip": "too slow here"},
            {"id": "slow", "got": 1.0, "marks": ["slow"]},
        ],
    )
    pytester.makeini("[pytest]\nmarkers = slow: takes long")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward(threshold=0.4)
        @pytest.mark.reward_dataset("rows.jsonl")
        def test_row(row, reward):
            reward.record(row["got"])
        """
    )
    result = run("-rs", "--strict-markers")
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*reward 0.40 < threshold 0.5 (partial)", "SKIPPED*too slow here"])
    run("-m", "not slow").assert_outcomes(passed=2, failed=1, skipped=1)


@pytest.mark.parametrize(
    ("marker", "error"),
    [
        (
            '"row.jsonl"',
            "*test_row: @pytest.mark.reward_dataset: there is no file *row.jsonl; did you mean 'rows.jsonl'?",
        ),
        ('"rows.jsonl", limt=3', "*reward_dataset: unknown keyword 'limt'; did you mean 'limit'?"),
        ('"rows.jsonl", limit=0', "*reward_dataset: limit must be a number of rows, 1 or more, not 0"),
        ('"rows.jsonl", id="ident"', "*reward_dataset: rows.jsonl:1: no field 'ident'*"),
        (
            '"rows.jsonl", fields=["prompt"]',
            "*reward_dataset: rows.jsonl:1: unknown field 'expected'; known are: prompt",
        ),
        ('"rows.jsonl", fields=["prompt", "expcted"]', "*rows.jsonl:1: no field 'expcted'; did you mean 'expected'?"),
        ('"rows.jsonl", format="humanevel"', "*no format 'humanevel'; did you mean 'humaneval'?"),
        ('"rows.jsonl", format="humaneval"', "*rows.jsonl:1: no field 'entry_point'*"),
        ('"rows.jsonl", format="rewardkit"', "*rows.jsonl:4: unknown field 'expectd'; did you mean 'expected'?"),
        ('"bad.jsonl"', "*reward_dataset: bad.jsonl:2: not JSON: *"),
        ('"twice.jsonl"', "*twice.jsonl:2: the id 'a' is already that of twice.jsonl:1"),
        ('"threshold.jsonl"', "*threshold.jsonl:1: 'threshold' must be a number in [[]0, 1[]], not 2"),
        (
            '"rows.jsonl", samples="samples.jsonl"',
            "*samples.jsonl:1: rows.jsonl has no row 'sum/on'; did you mean 'sum/one'?",
        ),
        ("", "*reward_dataset: takes one dataset, not 0"),
        ("7", "*reward_dataset: a dataset is a path or a list of rows, not 7"),
    ],
)
def test_what_is_wrong_is_said_with_place_and_fix(pytester: pytest.Pytester, marker: str, error: str) -> None:
    write_rows(pytester, [*ROWS, {"id": 4, "prompt": "p", "expectd": "4"}] if "rewardkit" in marker else ROWS)
    pytester.path.joinpath("bad.jsonl").write_text('{"id": 1}\n{"id": 2\n')
    write_rows(pytester, [{"id": "a"}, {"id": "a"}], "twice.jsonl")
    write_rows(pytester, [{"id": "a", "threshold": 2}], "threshold.jsonl")
    write_rows(pytester, [{"task_id": "sum/on", "completion": "x"}], "samples.jsonl")
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.reward_dataset({marker})
        def test_row(row): ...
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([error])
    assert "Traceback" not in result.stdout.str()


def test_a_marker_without_the_fixture_and_the_fixture_without_a_marker(pytester: pytest.Pytester) -> None:
    write_rows(pytester, ROWS)
    pytester.makepyfile(
        test_marker="""
        import pytest

        @pytest.mark.reward_dataset("rows.jsonl")
        def test_nothing(): ...
        """,
        test_fixture="def test_row(row): ...",
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "--continue-on-collection-errors")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*test_marker.py::test_nothing: @pytest.mark.reward_dataset: the test uses neither `row` nor a fixture*",
            "*test_fixture.py::test_row: the fixture `row` needs @pytest.mark.reward_dataset on the test*",
        ],
        consecutive=False,
    )


def test_the_marker_reads_rows_given_as_they_are_and_stands_on_classes(pytester: pytest.Pytester, plain: Run) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward_dataset([{"id": "a", "n": 1}, {"id": "b", "n": 2}])
        class TestRows:
            def test_first(self, row):
                assert row["n"] > 0

            def test_second(self, row):
                assert row.id in "ab"
        """
    )
    plain().assert_outcomes(passed=4)


def test_samples_become_attempts(pytester: pytest.Pytester, plain: Run) -> None:
    write_rows(pytester, ROWS)
    write_rows(
        pytester,
        [
            {"task_id": "sum/one", "completion": "first"},
            {"task_id": 3, "solution": "only"},
            {"task_id": "sum/one", "completion": "second"},
        ],
        "samples.jsonl",
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward_dataset("rows.jsonl", samples="samples.jsonl")
        def test_row(row, candidate, record_property):
            print("judged", row.id, repr(candidate))
        """
    )
    result = plain("-v", "-rP")
    result.assert_outcomes(passed=4)
    text = result.stdout.str()
    assert "test_row[sum/one-attempt1]" in text and "test_row[sum/one-attempt2]" in text and "test_row[3]" in text
    for line in ("judged sum/one 'first'", "judged sum/one 'second'", "judged 3 'only'", "judged sum [2] é ''"):
        assert line in text


def test_rows_of_our_own_format_need_no_test_code(pytester: pytest.Pytester, run: Run) -> None:
    write_rows(
        pytester,
        [
            {"id": "right", "candidate": "print(1)", "expected": "1"},
            {"id": "lenient", "response": "print(2)", "expected": "1", "threshold": 0},
            {"id": "cases", "solution": "def f(n): return n", "cases": [{"call": "f", "args": [1], "expected": 1}]},
            {"id": "wrong", "completion": "print(2)", "ground_truth": "1"},
        ],
    )
    pytester.makepyfile(
        """
        import pytest
        from pytest_rewardkit import assert_row

        @pytest.mark.reward_dataset("rows.jsonl", format="rewardkit")
        def test_row(sandbox, row):
            assert_row(sandbox, row)
        """
    )
    result = run("-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["mean 0.50 over 4 scored tests*"])


def test_the_candidate_may_come_from_a_fixture_of_the_users(pytester: pytest.Pytester, plain: Run) -> None:
    write_rows(pytester, ROWS)
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def candidate(row):
            return f"print({row['expected']})"
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward_dataset("rows.jsonl")
        def test_row(row, candidate):
            assert candidate == f"print({row['expected']})"
        """
    )
    plain().assert_outcomes(passed=3)


def test_a_row_without_a_candidate_says_how_to_give_one(pytester: pytest.Pytester) -> None:
    write_rows(pytester, ROWS[:1])
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward_dataset("rows.jsonl")
        def test_row(candidate): ...
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    shown = "rows.jsonl:1: the row has no candidate; its fields are id, prompt, expected.*give samples= to the marker"
    result.stdout.fnmatch_lines([f"*{shown}*"])
