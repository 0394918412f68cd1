"""Lines of a results file: their content, its completeness, and its agreement with the schema."""

import json

import pytest
from jsonschema import Draft202012Validator

from pytest_rewardkit import Part, Reward, Verdict
from pytest_rewardkit.ledger.gate import Decision, GateState
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.ledger.test import CRASHED, Test, TestResult
from pytest_rewardkit.reports.results.lines import attempt_line, end_line, result_of, run_line, schema, to_text

FULL = TestResult(
    "failed",
    1.5,
    Record(
        Reward.from_parts(
            [
                Part("adds", 1.0, weight=3, duration=0.25),
                Part(
                    "sorts", 0.0, verdict=Verdict.TIMEOUT, expected="[1]", actual="", stderr="slow", reason="too slow"
                ),
            ],
            reason="half of it",
        ),
        threshold=0.0,
        weight=0.0,
        group="sorting",
        must_pass=True,
        row="HumanEval/3",
        sandboxes=(SandboxUse(0.5, 0.125), SandboxUse(0.0, 0.125, {"memory_mb": 64})),
        left_out=2,
    ),
    line=7,
    kept=True,
)
ATTEMPTS = {
    "full": FULL,
    "plain": TestResult("passed", 0.0, Record(Reward(0.0))),
    "unscored": TestResult("passed", 0.25, Record(Reward.unscored("no sandbox"))),
    "partly unscored": TestResult("error", 0.25, Record(Reward.from_parts([Part("a", 1.0), Part("b", None)]))),
    "crashed": TestResult(CRASHED, cause="worker 'gw0' crashed"),
    "superseded": TestResult("rerun", 0.0, Record(Reward(0.3))),
}
FACTS = {
    "started": "2026-01-02T03:04:05+00:00",
    "versions": {"python": "3.12.1", "pytest": "9.0.0", "pytest-rewardkit": "0.1.0"},
    "host": {"system": "Linux", "machine": "x86_64", "processors": None},
    "sandboxes": {"provider": "local", "isolation": "auto"},
    "workers": 0,
    "options": {"enabled": True, "fail_under": 0.5, "provider": "auto"},
}


@pytest.fixture(scope="module")
def wrong():
    """The schema's objections to a line."""
    Draft202012Validator.check_schema(schema())
    validator = Draft202012Validator(schema())
    return lambda line: [error.message for error in validator.iter_errors(line)]


def written(line):
    text = line if isinstance(line, str) else to_text(line)
    assert text.isascii() and text.endswith("\n") and text.count("\n") == 1
    return json.loads(text)


def attempt_read(test, index):
    """The line of the last attempt, written and read back."""
    return written(attempt_line(test, index))


def ended(**changes):
    ledger = Ledger()
    ledger.expect(["a", "b"])
    ledger.add("a", FULL)
    facts = {
        "ended": "2026-01-02T03:04:05+00:00",
        "seconds": 1.25,
        "exit_status": 1,
        "complete": True,
        "figures": ledger.figures(),
        "decisions": [Decision("run", GateState.UNDECIDED, "too few to decide")],
    }
    return end_line(**(facts | changes))


def of_reward(attempt):
    """Every field of a reward: rewards themselves compare by their numbers."""
    reward = attempt.record and attempt.record.reward
    return reward is not None and (reward.value, reward.verdict, reward.reason, reward.parts)


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_an_attempt_comes_back_as_it_was(attempt, wrong):
    line = attempt_read(Test("test_a.py::test_x[\x1b]", [attempt]), 0)
    assert wrong(line) == []
    read = result_of(line)
    assert read == attempt
    assert of_reward(read) == of_reward(attempt)


def test_all_that_a_line_says(wrong):
    assert attempt_read(Test("a", [FULL, FULL]), 3) == {
        "v": 1,
        "type": "attempt",
        "node_id": "a",
        "index": 3,
        "line": 7,
        "attempt": 2,
        "outcome": "failed",
        "reward": 0.75,
        "verdict": "partial",
        "reason": "half of it",
        "duration": 1.5,
        "kept": True,
        "row": "HumanEval/3",
        "group": "sorting",
        "threshold": 0.0,
        "weight": 0.0,
        "must_pass": True,
        "parts": [
            {"name": "adds", "value": 1.0, "weight": 3.0, "verdict": "passed", "duration": 0.25},
            {
                "name": "sorts",
                "value": 0.0,
                "weight": 1.0,
                "verdict": "timeout",
                "reason": "too slow",
                "expected": "[1]",
                "actual": "",
                "stderr": "slow",
            },
        ],
        "left_out": 2,
        "timings": {"waiting": 0.5, "creating": 0.25, "running": 0.25},
        "sandboxes": [{"waited": 0.5, "start": 0.125}, {"waited": 0.0, "start": 0.125, "limits": {"memory_mb": 64}}],
    }


def test_what_is_not_known_is_left_out():
    assert set(attempt_read(Test("a", [ATTEMPTS["crashed"]]), None)) == {
        *("v", "type", "node_id", "attempt", "outcome", "reward", "verdict", "reason", "duration")
    }


def test_first_and_last_line(wrong):
    assert wrong(written(run_line(FACTS))) == []
    line = written(ended())
    assert wrong(line) == []
    assert line["figures"]["strict_mean"] is None  # its only test has the weight 0
    assert line["figures"]["verdicts"] == {"partial": 1}
    assert line["gates"] == [{"name": "run", "state": "undecided", "reason": "too few to decide"}]
    assert line["missing"] == ["b"]


def test_lone_surrogates_become_what_every_parser_takes():
    attempt = TestResult("passed", 0.0, Record(Reward.from_parts([Part("a\ud800b 🎉", 1.0, actual="\udc80")])))
    part = attempt_read(Test("a", [attempt]), 0)["parts"][0]
    assert (part["name"], part["actual"]) == ("a\ufffdb 🎉", "\ufffd")


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"type": "other"},
        {"reward": 1.5},
        {"reward": "1"},
        {"verdict": "good"},
        {"outcome": "skipped"},
        {"attempt": 0},
        {"duration": -1},
        {"threshold": 2},
        {"weight": -1},
        {"unknown": 1},
        {"parts": []},
        {"parts": [{"name": "a", "weight": 1, "verdict": "passed", "value": 2}]},
        {"parts": [{"name": "a", "weight": 1, "verdict": "passed", "actual": "x" * 4001}]},
        {"timings": {"sleeping": 1}},
        {"node_id": None},
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_no_attempt(change, wrong):
    good = attempt_read(Test("a", [FULL]), 0)
    assert wrong(good) == []
    assert wrong(good | change)


@pytest.mark.parametrize("key", ["v", "type", "node_id", "attempt", "outcome", "reward", "verdict", "duration"])
def test_the_schema_demands_what_every_attempt_has(key, wrong):
    line = attempt_read(Test("a", [ATTEMPTS["crashed"]]), None)
    assert wrong(line) == []
    del line[key]
    assert wrong(line)


def test_the_schema_refuses_other_ends(wrong):
    assert wrong(ended() | {"gates": [{"name": "run", "state": "maybe", "reason": ""}]})
    assert wrong(run_line(FACTS) | {"options": {"secret": [["list"]]}})


@pytest.mark.parametrize(
    ("change", "error"),
    [({"verdict": "good"}, ValueError), ({"reward": 3}, ValueError), ({"duration": None}, TypeError)],
)
def test_what_no_line_says_is_not_guessed(change, error):
    with pytest.raises(error):
        result_of(attempt_read(Test("a", [FULL]), 0) | change)
