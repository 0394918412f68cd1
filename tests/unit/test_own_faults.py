"""A bug in the package itself during scoring: the reward is unscored, the bug is reported, and all else goes on."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_rewardkit import Reward, Verdict, turn
from pytest_rewardkit.errors import NoRewardError, RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.faults import guarded
from pytest_rewardkit.ledger.gate import Gate
from pytest_rewardkit.ledger.judge import Judge
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import Test, TestResult
from pytest_rewardkit.reports.artifacts import contents
from pytest_rewardkit.run.worker.recorder import Recorder
from pytest_rewardkit.scorers.function import as_reward
from pytest_rewardkit.scorers.running.call_evidence import with_evidence
from pytest_rewardkit.trl import for_trl


@with_evidence
def broken(sandbox: Any, candidate: str, error: BaseException) -> Reward:
    raise error


SANDBOX: Any = SimpleNamespace(run_code=print)


def test_a_fault_is_unscored_and_told(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    turn.enter(recorder)
    try:
        reward = broken(SANDBOX, "x = 1", KeyError("\x1b[31mred"))
    finally:
        turn.leave()
    assert reward.verdict is Verdict.UNSCORED
    assert reward.reason.startswith("pytest-rewardkit itself failed here; please report it")
    assert recorder.is_faulty
    concluded = recorder.concluded()
    assert concluded is not None and concluded.value is None
    files = contents("test_x", reward)
    assert b"Traceback (most recent call last)" in files["fault.txt"]
    assert files["fault.txt"].rstrip().endswith(b"KeyError: '\\x1b[31mred'")
    turn.enter(None)
    try:
        with caplog.at_level(logging.ERROR):
            broken(SANDBOX, "x = 1", KeyError("outside"))
    finally:
        turn.leave()
    assert "KeyError: 'outside'" in caplog.text


@pytest.mark.parametrize("error", [RewardkitUsageError("wrong"), KeyboardInterrupt()])
def test_mistakes_and_interruptions_are_raised(error: BaseException) -> None:
    with pytest.raises(type(error)):
        broken(SANDBOX, "x = 1", error)


def test_a_lost_sandbox_is_no_fault() -> None:
    reward = broken(SANDBOX, "x = 1", SandboxUnavailable("gone"))
    assert (reward.value, reward.reason) == (None, "gone")
    assert guarded(lambda: Reward(1.0)) == 1.0


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError(), ZeroDivisionError(), UnicodeError(), StopIteration()]
)
def test_whatever_it_is(error: BaseException) -> None:
    assert broken(SANDBOX, "x = 1", error).value is None


def test_no_gate_passes_with_a_fault() -> None:
    ledger = Ledger()
    good = Record(Reward(1.0), must_pass=True, group="a")
    faulty = Record.from_wire(Record(Reward(None, reason="broke"), fault=True).to_wire())
    ledger.add("test_good", TestResult("passed", record=good))
    gates = [Gate(fail_under=0.1), Gate(name="a", fail_under=0.1), Gate(max_unscored=9)]
    assert all(decision.passed for decision in Judge(gates).decide(ledger))
    ledger.add("test_bad", TestResult("failed", record=faulty))
    decisions = Judge(gates).decide(ledger)
    assert [decision.name for decision in decisions] == ["run", "a", "run", "must_pass"]
    assert not any(decision.passed for decision in decisions)
    assert decisions[0].reason == "pytest-rewardkit itself failed at 1 test, please report it: test_bad"
    assert ledger.figures().strict_mean == 0.5
    ledger.add("test_bad", TestResult("passed", record=Record(Reward(1.0))))
    assert all(decision.passed for decision in Judge(gates).decide(ledger))


def test_a_fault_travels(tmp_path: Any) -> None:
    wire = Record(Reward(None, reason="broke"), fault=True).to_wire()
    assert json.loads(wire)["fault"] is True
    assert Record.from_wire(wire).fault
    assert "fault" not in json.loads(Record(Reward(None)).to_wire())
    assert not Test("x", [TestResult("passed", record=Record(Reward(1.0)))]).faulty


def test_a_batch_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def reward(response: str) -> Any:
        return {"raise": lambda: 1 / 0, "nan": lambda: float("nan"), "none": lambda: None}.get(response, lambda: 1.0)()

    assert for_trl(reward)(["a", "raise", "nan", "none", "b"]) == [1.0, None, None, None, 1.0]
    assert "ZeroDivisionError" in caplog.text and "must return a number" in caplog.text
    with pytest.raises(RewardkitUsageError):
        for_trl(lambda response, missing: 1.0)(["a"])
    with pytest.raises(NoRewardError):
        as_reward(float("nan"), "f")
