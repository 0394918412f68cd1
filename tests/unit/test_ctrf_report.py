"""The CTRF report, compared with the requirements of the format's schema (ctrf.io, version 1.0.0)."""

import json

from jsonschema import Draft202012Validator

from pytest_rewardkit import Part, Reward
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports.ctrf import ctrf_report

STATUS = {"enum": ["passed", "failed", "skipped", "pending", "other"]}
TEXT, WHOLE, EXTRA = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "object"}


def closed(required, **optional):
    """An object with these fields and no others."""
    fields = {**required, **optional}
    return {"type": "object", "required": list(required), "properties": fields, "additionalProperties": False}


ATTEMPT = closed({"attempt": WHOLE, "status": STATUS}, duration=WHOLE, message=TEXT)
STEP = closed({"name": TEXT, "status": STATUS}, extra=EXTRA)
TEST = closed(
    {"name": {"type": "string", "minLength": 1}, "status": STATUS, "duration": WHOLE},
    rawStatus=TEXT,
    message=TEXT,
    filePath=TEXT,
    line=WHOLE,
    retries=WHOLE,
    flaky={"type": "boolean"},
    suite={"type": "array", "minItems": 1, "items": TEXT},
    retryAttempts={"type": "array", "items": ATTEMPT},
    steps={"type": "array", "items": STEP},
    extra=EXTRA,
)
COUNTS = dict.fromkeys(("tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"), WHOLE)
RESULTS = closed(
    {
        "tool": closed({"name": TEXT}, version=TEXT),
        "summary": closed(COUNTS, flaky=WHOLE, duration=WHOLE, extra=EXTRA),
        "tests": {"type": "array", "items": TEST},
    }
)
REPORT = closed(
    {
        "results": RESULTS,
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    },
    timestamp=TEXT,
    generatedBy=TEXT,
)


def report_of(ledger):
    versions = {"pytest": "9.0.0", "pytest-rewardkit": "0.1.0"}
    report = ctrf_report(ledger, versions=versions, started=1000, stopped=3500, written="2026-01-01T00:00:00+00:00")
    Draft202012Validator(REPORT).validate(report)
    return json.loads(json.dumps(report, allow_nan=False))["results"]


def ended(outcome, reward=None, **fields):
    return TestResult(outcome, 0.25, None if reward is None else Record(reward), **fields)


def test_every_test_is_in_it_and_those_that_never_ran_are_pending():
    ledger = Ledger()
    ledger.expect(["a.py::test_plain", "a.py::test_good", "a.py::test_never", "a.py::test_skipped"])
    ledger.add("a.py::test_good", ended("passed", Reward(1.0)))
    ledger.add("a.py::test_plain", ended("failed"))
    ledger.add("a.py::test_skipped", ended("skipped"))
    results = report_of(ledger)
    assert [(test["name"], test["status"]) for test in results["tests"]] == [
        ("a.py::test_plain", "failed"),
        ("a.py::test_good", "passed"),
        ("a.py::test_skipped", "skipped"),
        ("a.py::test_never", "pending"),
    ]
    summary = results["summary"]
    assert (summary["tests"], summary["passed"], summary["failed"], summary["skipped"], summary["pending"]) == (
        4,
        1,
        1,
        1,
        1,
    )
    assert (summary["start"], summary["stop"], summary["duration"]) == (1000, 3500, 2500)
    assert results["tests"][0]["duration"] == 250


def test_a_reward_stands_beside_the_status_and_its_parts_are_steps():
    ledger = Ledger()
    parts = [Part("adds", 1.0), Part("sorts", 0.0, reason="sort([2, 1]) returned None"), Part("lost", None)]
    ledger.add("a.py::Sums::test_it[1::2]", ended("failed", Reward.from_parts(parts), line=7))
    (test,) = report_of(ledger)["tests"]
    assert (test["filePath"], test["suite"], test["line"]) == ("a.py", ["a.py", "Sums"], 7)
    assert test["extra"]["reward"]["value"] is None
    assert [(step["name"], step["status"], step["extra"]["value"]) for step in test["steps"]] == [
        ("adds", "passed", 1.0),
        ("sorts", "failed", 0.0),
        ("lost", "other", None),
    ]


def test_what_passed_after_a_failure_is_flaky():
    ledger = Ledger()
    ledger.add("a.py::test_it", ended("rerun", Reward(0.0)))
    ledger.add("a.py::test_it", ended("passed", Reward(1.0)))
    ledger.add("a.py::test_dead", TestResult(CRASHED, cause="worker 'gw0' crashed"))
    results = report_of(ledger)
    dead, flaky = results["tests"]
    assert (flaky["retries"], flaky["flaky"], flaky["status"]) == (1, True, "passed")
    assert flaky["retryAttempts"] == [{"attempt": 1, "status": "failed", "duration": 250}]
    assert (dead["status"], dead["message"]) == ("failed", "worker 'gw0' crashed")
    assert results["summary"]["flaky"] == 1


def test_what_candidates_say_cannot_act_on_a_terminal():
    ledger = Ledger()
    part = Part("\x1b[2J", 0.0, reason="\u202egnp.exe \ud800")
    ledger.add("a.py::test_it", ended("failed", Reward.from_parts([part])))
    assert not set("\x1b\u202e\ud800") & set(json.dumps(report_of(ledger), ensure_ascii=False))
