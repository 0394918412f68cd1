"""Whole datasets evaluated at once: rewards, figures, files, and a clean stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from benchmark_rows import HELPERS, PLUS_INPUTS

from pytest_rewardkit import Part, Reward, evaluate_dataset, score_cases
from pytest_rewardkit.datasets.results import EvaluationResults, RowResult
from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError

if TYPE_CHECKING:
    from pathlib import Path

    from e2b_code_interpreter import Sandbox

ROWS = [
    {
        "id": number,
        "response": f"def add(a, b):\n    return a + b + {number % 3}",
        "test_cases": [{"call": "add", "args": [1, 2], "expected": 3}],
    }
    for number in range(9)
]


def by_cases(response: str, test_cases: list[dict[str, Any]], sandbox: Sandbox) -> Reward:
    return score_cases(sandbox, response, test_cases)


def test_each_row_gets_a_sandbox_and_its_reward(tmp_path: Path) -> None:
    path = tmp_path / "coding_problems.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    results = evaluate_dataset(
        reward_function=by_cases,
        dataset_path=path,
        additional_fields=["test_cases"],
        results_path=tmp_path / "results.jsonl",
        concurrency=3,
        progress=False,
    )
    assert [(result.id, float(result.reward)) for result in results] == [
        (str(number), float(number % 3 == 0)) for number in range(9)
    ]
    assert results.mean == pytest.approx(1 / 3)
    assert results.standard_error == pytest.approx(0.5 / 3)
    assert results.verdicts == {"passed": 3, "wrong_output": 6}
    assert str(results) == "mean 0.333 ± 0.167 over 9 candidates: 3 passed, 6 wrong_output"
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert {line["id"]: line["reward"] for line in lines} == {str(n): float(n % 3 == 0) for n in range(9)}
    assert "E2B_API_KEY" not in os.environ


def test_a_function_may_make_sandboxes_by_itself() -> None:
    def runs(response: str) -> float:
        from e2b_code_interpreter import Sandbox

        with Sandbox.create() as sandbox:
            return float(sandbox.run_code(response).error is None)

    rows = [{"id": 1, "response": "1 + 1"}, {"id": 2, "response": "1 / 0"}]
    assert evaluate_dataset(runs, rows, progress=False).rewards == [1.0, 0.0]


def test_rows_of_a_benchmark_with_samples_need_no_function() -> None:
    rows = [HELPERS.row, {**PLUS_INPUTS.row, "test": HELPERS.row["test"].replace("encode", "str")}]
    row_id = HELPERS.row["task_id"]
    samples = [
        {"task_id": row_id, "completion": HELPERS.row["canonical_solution"]},
        {"task_id": row_id, "completion": "    return s\n"},
    ]
    results = evaluate_dataset(None, rows, format="humaneval", samples=samples, limit=1, progress=False, concurrency=2)
    assert [(result.id, result.attempt, result.reward.value) for result in results] == [
        (row_id, 1, 1.0),
        (row_id, 2, 0.0),
    ]
    assert results.reduced("pass_at_1") == 0.5
    assert results.reduced("pass_at_2") == 1.0
    assert results.reduced("pass_at_3") is None
    assert results.standard_error is None


def test_infrastructure_failures_are_no_rewards() -> None:
    def function(response: str) -> float | None:
        if response == "lost":
            raise UnscoredError("the sandbox is gone")
        if response == "broken":
            raise OSError("no route")
        return None if response == "none" else 1.0

    rows = [{"id": text, "response": text} for text in ("lost", "broken", "none", "fine")]
    results = evaluate_dataset(function, rows, progress=False)
    assert results.rewards == [None, None, None, 1.0]
    assert [result.reward.reason for result in results[:3]] == [
        "the sandbox is gone",
        "the reward function raised OSError: no route",
        "test_infrastructure_failures_are_no_rewards.<locals>.function gave no number",
    ]
    assert (results.mean, results.strict_mean, results.verdicts) == (1.0, 0.25, {"passed": 1, "unscored": 3})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"additional_fields": "test_cases"}, r"additional_fields must be a list of names, as \['test_cases'\]"),
        ({"concurrency": 0}, "concurrency must be a whole number, 1 or more, not 0"),
        ({"concurrency": "4"}, "concurrency must be a whole number, 1 or more, not '4'"),
        ({"additional_fields": ["test_case"]}, "row 1: no field 'test_case'; did you mean 'test_cases'"),
        ({"additional_fields": ["id"]}, "by_cases does not accept the fields of additional_fields: .*test_cases"),
        ({"format": "humanevl"}, "no format 'humanevl'; did you mean 'humaneval'"),
        ({"provider": "locl"}, "unknown sandbox provider 'locl'"),
        ({"limit": 0}, "limit must be a number of rows"),
        ({"dataset_path": "nothing.jsonl"}, "there is no file nothing.jsonl"),
        ({"results_path": "/proc/none/results.jsonl"}, r"^results_path: cannot write to /proc/none/results\.jsonl: "),
        ({"dataset_path": None}, "evaluate_dataset needs a dataset_path"),
        ({"dataset_path": [{"id": 1, "test_cases": []}]}, "row 1: the row has no candidate"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, Any], error: str) -> None:
    given: dict[str, Any] = {"dataset_path": ROWS, "additional_fields": ["test_cases"], "progress": False, **arguments}
    with pytest.raises(RewardkitUsageError, match=error):
        evaluate_dataset(by_cases, **given)


@pytest.mark.parametrize("value", [1.5, float("nan"), "high"])
def test_what_is_no_reward_says_nothing_of_its_row(value: Any) -> None:
    """A function may return such a value for one candidate only; the other rows are not affected."""
    rows = [{"id": 1, "response": "x"}, {"id": 2, "response": "y"}]
    results = evaluate_dataset(lambda response: value if response == "x" else 1.0, rows, progress=False)
    assert results.rewards == [None, 1.0]
    assert "must return a number in" in results[0].reward.reason


STOPPED = """
    import signal
    from pytest_rewardkit import evaluate_dataset, score_output

    def function(response, sandbox):
        return score_output(sandbox, response, "1", time_limit=600)

    rows = [{"id": n, "response": "print(1)" if n < 4 else "import time; time.sleep(600)"} for n in range(8)]
    print("begins", flush=True)
    try:
        evaluate_dataset(function, rows, results_path="results.jsonl", concurrency=2)
    except KeyboardInterrupt:
        print("stopped")
"""


def test_ctrl_c_leaves_what_is_done_in_the_file_and_nothing_else(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    os.mkfifo(results)
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STOPPED)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        with results.open() as file:
            done = [json.loads(file.readline()) for _ in range(4)]
            process.send_signal(signal.SIGINT)
            rest = file.read()
        assert process.stdout is not None
        assert process.stdout.read() == "begins\nstopped\n"
    assert sorted(line["id"] for line in done) == ["0", "1", "2", "3"]
    assert [line["reward"] for line in done] == [1.0] * 4
    assert rest == ""


def test_figures_of_no_results() -> None:
    nothing = EvaluationResults([], planned=3)
    assert (nothing.mean, nothing.strict_mean, nothing.standard_error, nothing.verdicts) == (None, None, None, {})
    assert str(nothing) == "no mean over 0 of 3 candidates"


def test_results_are_ascii_lines() -> None:
    reward = Reward.from_parts([Part("é\n", 0.5, reason="\x1b[31m"), Part("b", 1.0)])
    line = RowResult("ü", 1, reward, 0.5).to_json()
    assert line.isascii() and "\n" not in line
    assert json.loads(line)["parts"][0]["name"] == "é\n"


def test_what_fails_at_one_candidate_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_rewardkit.scorers import cases

    real = cases.judge

    def judge(case: Any, answer: Any, matching: Any) -> Part:
        if answer.value == 4:
            raise RuntimeError("a fault of ours")
        return real(case, answer, matching)

    monkeypatch.setattr(cases, "judge", judge)
    rows = [{"cases": row["test_cases"], "response": row["response"], "id": row["id"]} for row in ROWS[:3]]
    results = evaluate_dataset(dataset_path=rows, progress=False)
    assert results.rewards == [1.0, None, 0.0]
    assert "please report it" in results[1].reward.reason
