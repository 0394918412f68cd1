"""Attempts at one task are one test, with the reward that they reduce to; an unknown reward counts as 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit import Reward, Verdict
from pytest_rewardkit.ledger.baseline import Baseline, Change, compare, decide_regression
from pytest_rewardkit.ledger.gate import Gate, GateState
from pytest_rewardkit.ledger.gates import decide
from pytest_rewardkit.ledger.judge import Judge
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.tasks import reductions, task_id
from pytest_rewardkit.ledger.test import CRASHED, TestResult

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.test import Test


def ledger_of(*values: float | str | None, reduce: str = "mean", task: str = "t.py::test", **marker: object) -> Ledger:
    """Returns a ledger of attempts at one task; the text "crashed" stands for an attempt whose worker died."""
    ledger = Ledger()
    for number, value in enumerate(values, start=1):
        node_id = f"{task}[attempt{number}]"
        if isinstance(value, str):
            ledger.add(node_id, TestResult(CRASHED, cause="worker 'gw0' crashed"))
            continue
        record = Record(Reward(value), task=task, reduce=reduce, **marker)  # type: ignore[arg-type]
        outcome = "passed" if value is not None and value >= (record.threshold or 1.0) else "failed"
        ledger.add(node_id, TestResult(outcome, 1.0, record, line=number))
    return ledger


def only(ledger: Ledger) -> Test:
    (task,) = ledger.tasks
    return task


def test_several_attempts_are_one_test_with_the_reduced_reward() -> None:
    ledger = ledger_of(0.1, 0.6, 0.1, 0.6, reduce="pass_at_2", threshold=0.5, weight=3.0, group="lucky")
    task = only(ledger)
    assert (task.node_id, task.value, task.verdict) == ("t.py::test", pytest.approx(5 / 6), "partial")
    assert task.cause == "pass@2 of 4 attempts: 0.10, 0.60, 0.10, 0.60"
    assert (task.weight, task.group, task.passed) == (3.0, "lucky", True)
    assert task.reward is not None
    assert [(part.name, part.value) for part in task.reward.parts] == [
        ("attempt 1", 0.1),
        ("attempt 2", 0.6),
        ("attempt 3", 0.1),
        ("attempt 4", 0.6),
    ]
    figures = ledger.figures()
    assert (figures.tests, figures.attempts, figures.scored, figures.unscored) == (1, 4, 1, 0)
    assert figures.mean == figures.strict_mean == pytest.approx(5 / 6)
    assert figures.verdicts == {"partial": 1}
    assert [test.node_id for test in ledger.tests] == [f"t.py::test[attempt{number}]" for number in (1, 2, 3, 4)]


def test_a_task_weighs_as_much_as_any_other_test_however_many_attempts_it_has() -> None:
    ledger = ledger_of(0.0, 0.0, 0.0)
    ledger.add("t.py::other", TestResult("passed", 0.1, Record(Reward(1.0))))
    assert ledger.figures().mean == 0.5


@pytest.mark.parametrize(
    ("reduce", "values", "value", "strict"),
    [
        ("mean", [1.0, None], 1.0, 0.5),
        ("mean", [1.0, "crashed"], 1.0, 0.5),
        ("max", [1.0, None], 1.0, 1.0),
        ("min", [1.0, None], 1.0, 0.0),
        ("pass_at_2", [1.0, None], None, 1.0),
        ("pass_all_2", [1.0, 1.0, None], 1.0, pytest.approx(1 / 3)),
        ("pass_at_3", [1.0, 1.0], None, 0.0),
        ("mean", [None, None], None, 0.0),
    ],
)
def test_attempts_without_a_number_count_as_nothing_or_as_0(
    reduce: str, values: list[float | str | None], value: float | None, strict: float
) -> None:
    task = only(ledger_of(*values, reduce=reduce))
    assert (task.value, task.strict) == (value, strict)
    assert task.unscored >= 1
    assert task.lost
    assert task.verdict == ("crashed" if "crashed" in values else "unscored" if value is None else "passed")


def test_unscored_attempts_cannot_make_a_gate_pass() -> None:
    ledger = ledger_of(1.0, 1.0, None, "crashed")
    assert ledger.figures().mean == 1.0
    mean = decide(Gate(fail_under=0.6), ledger.tasks)
    assert (mean.state, mean.reason) == (GateState.FAILED, "mean 0.50 < 0.6, 2 unscored tests counting as 0")
    assert decide(Gate(max_unscored=1), ledger.tasks).reason == "2 unscored tests > 1"
    assert not only(ledger).passed


def test_gates_decide_on_the_reduced_reward() -> None:
    ledger = ledger_of(0.0, 1.0, 0.0, 1.0, reduce="pass_at_2", threshold=0.5, must_pass=True)
    gates = [Gate(fail_under=0.8, min_pass_rate=1.0, must_pass=True)]
    run, must_pass = Judge(gates).decide(ledger)
    assert run.reason == "mean 0.83 >= 0.8; pass rate 1.00 >= 1, 1 of 1 passed; 1 test that must pass did"
    assert must_pass.passed
    (alone,) = Judge([Gate(fail_under=0.8)]).decide(ledger_of(0.0, 1.0, 0.0, 1.0))
    assert alone.reason == "mean 0.50 < 0.8"


def test_a_task_without_a_threshold_passes_when_its_attempts_do() -> None:
    ledger = Ledger()
    for number in (1, 2):
        record = Record(Reward(0.6), task="t.py::test", reduce="mean")
        ledger.add(f"t.py::test[attempt{number}]", TestResult("passed", 0.1, record))
    assert only(ledger).passed


def test_a_task_that_came_to_0_says_what_most_attempts_say() -> None:
    ledger = Ledger()
    for number, verdict in enumerate([Verdict.TIMEOUT, Verdict.RUNTIME_ERROR, Verdict.TIMEOUT], start=1):
        record = Record(Reward(0.0, verdict=verdict), task="t.py::test", reduce="max")
        ledger.add(f"t.py::test[attempt{number}]", TestResult("failed", 0.1, record))
    assert only(ledger).verdict == "timeout"
    assert only(ledger_of(0.9, 0.9, reduce="pass_at_1")).verdict == "wrong_output"


def test_a_crashed_attempt_is_told_by_its_name_and_only_where_the_task_is_known() -> None:
    ledger = ledger_of(1.0, "crashed")
    ledger.expect([*(f"t.py::test[attempt{number}]" for number in (1, 2)), "t.py::other[attempt1]"])
    ledger.add("t.py::other[attempt1]", TestResult(CRASHED))
    assert [test.node_id for test in ledger.tasks] == ["t.py::test", "t.py::other[attempt1]"]


def test_reruns_of_attempts_are_counted_apart() -> None:
    ledger = Ledger()
    for outcome in ("rerun", "passed"):
        record = Record(Reward(1.0), task="t.py::test", reduce="mean")
        ledger.add("t.py::test[attempt1]", TestResult(outcome, 0.1, record))
    figures = ledger.figures()
    assert (figures.tests, figures.attempts, figures.reruns) == (1, 1, 1)


def test_a_baseline_is_compared_task_by_task() -> None:
    before, now = ledger_of(1.0, 1.0), ledger_of(1.0, 0.0, 0.0)
    comparison = compare(now, Baseline.of(before))
    assert comparison.changes == {"t.py::test": Change.WORSE}
    (pair,) = comparison.pairs
    assert (pair.before, pair.now) == (1.0, pytest.approx(1 / 3))
    assert not comparison.gone
    assert compare(ledger_of(0.0, 1.0), Baseline.of(ledger_of(1.0, 0.0))).changes == {"t.py::test": Change.SAME}
    assert compare(ledger_of(1.0, None), Baseline.of(before)).changes == {"t.py::test": Change.LOST}


def test_attempts_at_one_task_are_no_independent_tests() -> None:
    def of(value: float) -> Ledger:
        ledger = Ledger()
        for row in range(5):
            for number in range(1, 9):
                record = Record(Reward(value), task=f"t.py::test[row{row}]", reduce="mean")
                ledger.add(f"t.py::test[row{row}-attempt{number}]", TestResult("passed", 0.1, record))
        return ledger

    for gate in (Gate(fail_under=0.8, confidence=0.95), Gate(min_pass_rate=0.8, confidence=0.95)):
        decision = decide(gate, of(1.0).tasks)
        assert decision.state is GateState.UNDECIDED
        assert "1.00 of 5 tests" in decision.reason
    decision = decide_regression(compare(of(0.0), Baseline.of(of(1.0))), confidence=0.95)
    assert decision.state is GateState.UNDECIDED
    assert "over 5 tests; to show a change with 95 % confidence takes 6 at least" in decision.reason


def test_reductions_are_told_function_by_function() -> None:
    ledger = ledger_of(1.0, 0.0, reduce="pass_at_1", task="t.py::test[a]")
    for value, number in ((1.0, 1), (1.0, 2)):
        record = Record(Reward(value), task="t.py::test[b]", reduce="pass_at_1")
        ledger.add(f"t.py::test[b-attempt{number}]", TestResult("passed", 0.1, record))
    (found,) = reductions(ledger.tasks)
    assert (found.function, found.label, found.value, found.count) == ("t.py::test", "pass@1", 0.75, 2)


@pytest.mark.parametrize(
    ("node_id", "number", "of_row", "expected"),
    [
        ("t.py::test[attempt1]", 1, False, "t.py::test"),
        ("t.py::test[attempt12-x]", 12, False, "t.py::test[x]"),
        ("t.py::test[row-attempt2]", 2, True, "t.py::test[row]"),
        ("t.py::test[row-attempt2-x]", 2, True, "t.py::test[row-x]"),
        ("t.py::test[attempt1-attempt2]", 2, True, "t.py::test[attempt1]"),
        ("t.py::test[a-attempt1-b-attempt1]", 1, True, "t.py::test[a-attempt1-b]"),
        ("t.py::test[last_attempt1-attempt1]", 1, True, "t.py::test[last_attempt1]"),
        ("attempt1/t.py::test[x]", 1, False, "attempt1/t.py::test[x]"),
    ],
)
def test_what_attempts_share(node_id: str, number: int, of_row: bool, expected: str) -> None:
    assert task_id(node_id, number, of_row=of_row) == expected
