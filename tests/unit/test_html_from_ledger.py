"""The HTML report's content from a ledger."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from html_samples import png

from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.ledger.baseline import Baseline, compare
from pytest_rewardkit.ledger.gate import Decision, GateState
from pytest_rewardkit.ledger.history import History, PastRun
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports.html.circumstances import facts_in, in_sight
from pytest_rewardkit.reports.html.details import OUTPUT, details
from pytest_rewardkit.reports.html.from_ledger import report_of
from pytest_rewardkit.reports.html.model import PageGate, Report
from pytest_rewardkit.reward import Part, Reward, Verdict


def ledger_of(*attempts: tuple[str, TestResult]) -> Ledger:
    ledger = Ledger()
    ledger.expect(dict(attempts))
    for node_id, attempt in attempts:
        ledger.add(node_id, attempt)
    return ledger


def report(*attempts: tuple[str, TestResult], **options: object) -> Report:
    return report_of(ledger_of(*attempts), **options)  # type: ignore[arg-type]


def scored(value: float | None, *, outcome: str = "passed", seconds: float = 0.0, **fields: object) -> TestResult:
    return TestResult(outcome, seconds, Record(Reward(value), **fields))  # type: ignore[arg-type]


def figures(shown: Report) -> dict[str, tuple[str, str]]:
    return {figure.label: (figure.value, figure.note) for figure in shown.figures}


def test_a_test_with_all_that_its_record_says() -> None:
    parts = (Part("adds", 1.0, duration=0.5), Part("sorts", 0.0, expected="1", actual="2"))
    reward = Reward.from_parts(parts, reason="half")
    uses = (SandboxUse(0.25, 0.5), SandboxUse(0.0, 0.25))
    record = Record(
        reward, threshold=0.4, weight=2.0, group="sorting", must_pass=True, row="r7", sandboxes=uses, left_out=3
    )
    (test,) = report(("a.py::test_x[it's]", TestResult("passed", 3.0, record))).tests
    (attempt,) = test.attempts
    assert (test.group, test.threshold, test.weight, test.must_pass) == ("sorting", 0.4, 2.0, True)
    assert test.attempts[-1].command == """python -m pytest 'a.py::test_x[it'"'"'s]'"""
    assert (attempt.value, attempt.verdict, attempt.reason, attempt.outcome) == (0.5, "partial", "half", "passed")
    assert (attempt.parts, attempt.left_out, attempt.seconds) == (parts, 3, 3.0)
    assert test.row_id == "r7"
    assert attempt.timings == [("waiting", 0.25), ("creating", 0.75), ("running", 0.5), ("the rest", 1.5)]


def test_attempts_at_one_test_are_one_entry_with_what_they_come_to() -> None:
    def record(value: float) -> Record:
        return Record(Reward(value), task="a.py::test", reduce="pass_at_2", threshold=0.5)

    shown = report(
        ("a.py::test[attempt1]", TestResult("failed", 1.0, record(0.2))),
        ("a.py::test[attempt2]", TestResult("rerun", 1.0, record(0.1))),
        ("a.py::test[attempt2]", TestResult("passed", 1.0, record(1.0))),
        ("a.py::test[attempt3]", TestResult("failed", 1.0, record(0.2))),
    )
    (test,) = shown.tests
    assert (test.node_id, test.value, test.verdict, test.outcome) == (
        "a.py::test",
        pytest.approx(2 / 3),
        "partial",
        "passed",
    )
    assert [attempt.value for attempt in test.attempts] == [0.2, 0.1, 1.0, 0.2]
    assert test.attempts[2].command == "python -m pytest 'a.py::test[attempt2]'"
    assert test.figures == [("pass@2", pytest.approx(2 / 3))]
    assert test.why == "pass@2 of 3 attempts: 0.20, 1.00, 0.20"
    assert figures(shown)["Attempts"] == ("4", "1 rerun")
    assert figures(shown)["Mean reward"][0] == "0.67"


def test_what_was_judged_and_what_it_put_out_is_shown_once() -> None:
    evidence = (
        Evidence(code="x = 1", stdout="one", stderr="", images=(png(),)),
        Evidence(code="x = 1", stdout="two", stderr="oops"),
    )
    (test,) = report(("a", TestResult("passed", 0.0, Record(Reward(1.0, evidence=evidence))))).tests
    shown = test.attempts[0].evidence
    assert shown is not None
    assert (shown.candidate, shown.stdout, shown.stderr) == ("x = 1", "one\n\ntwo", "oops")
    assert [image.base64 for image in shown.images] == [png()]


def test_phases_too_short_to_see_are_left_out() -> None:
    (test,) = report(("a", scored(1.0, seconds=0.01, sandboxes=(SandboxUse(0.0001, 0.0099),)))).tests
    assert [phase for phase, _ in test.attempts[0].timings] == ["creating"]


def test_every_attempt_is_there_and_the_last_one_counts() -> None:
    shown = report(
        ("a", scored(0.0, outcome="rerun")),
        ("a", TestResult(CRASHED, cause="worker 'gw0' crashed")),
        ("a", scored(1.0)),
    )
    (test,) = shown.tests
    assert [(attempt.verdict, attempt.value) for attempt in test.attempts] == [
        ("wrong_output", 0.0),
        ("crashed", None),
        ("passed", 1.0),
    ]
    assert test.attempts[1].reason == "worker 'gw0' crashed"
    assert figures(shown)["Attempts"] == ("3", "2 reruns")


def test_tests_without_a_reward_are_not_shown() -> None:
    assert [test.node_id for test in report(("a", scored(1.0)), ("b", TestResult("passed"))).tests] == ["a"]


def test_groups_are_those_of_markers_with_the_lowest_mean_first() -> None:
    shown = report(
        ("a.py::1", scored(1.0, group="high")),
        ("a.py::2", scored(0.25, group="low", weight=3.0)),
        ("a.py::3", scored(0.75, group="low")),
        ("a.py::4", scored(None, group="low")),
        ("a.py::5", scored(0.5)),
        ("a.py::6", scored(None, group="none")),
    )
    assert shown.grouped_by == "group"
    found = [(group.name, group.tests, group.unscored, group.mean) for group in shown.groups]
    assert found == [("none", 1, 1, None), ("low", 3, 1, 0.375), ("", 1, 0, 0.5), ("high", 1, 0, 1.0)]


def test_without_groups_files_are_the_groups() -> None:
    shown = report(("b.py::test", scored(1.0)), ("a.py::C::test", scored(0.5)), ("b.py::other", scored(0.5)))
    assert shown.grouped_by == "file"
    assert [(group.name, group.mean) for group in shown.groups] == [("a.py", 0.5), ("b.py", 0.75)]
    assert [test.group for test in shown.tests] == ["b.py", "a.py", "b.py"]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        # The standard table for proportions: 8 of 10, all of 5, none of 5.
        ([1.0] * 8 + [0.0] * 2, 0.490, 0.943),
        ([1.0] * 5, 0.566, 1.0),
        ([0.0] * 5, 0.0, 0.434),
        # Equal rewards with the same mean are treated like one of zeros and ones.
        ([0.8] * 10, 0.490, 0.943),
    ],
)
def test_the_interval_is_wilsons(values: list[float], low: float, high: float) -> None:
    (group,) = report(*((f"a.py::{index}", scored(value)) for index, value in enumerate(values))).groups
    assert (group.low, group.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_unequal_weights_count_as_fewer_tests() -> None:
    def width(*weights: float) -> float:
        tests = ((f"a.py::{index}", scored(index % 2, weight=weight)) for index, weight in enumerate(weights))
        (group,) = report(*tests).groups
        assert group.low is not None
        assert group.high is not None
        return group.high - group.low

    assert width(1, 1, 1, 1) == pytest.approx(width(1e300, 1e300, 1e300, 1e300))
    assert width(5, 5, 1, 1) > width(1, 1, 1, 1)
    assert width(1, 1, 0, 0) == pytest.approx(width(1, 1))


def test_the_head_tells_what_the_figures_do() -> None:
    shown = report(
        ("a", scored(1.0, sandboxes=(SandboxUse(0.0, 0.02),))),
        ("b", scored(0.5)),
        ("c", TestResult(CRASHED)),
        title="Nightly",
        facts={"Python": "3.12"},
        decisions=[Decision("run", GateState.PASSED, "enough"), Decision("sums", GateState.UNDECIDED, "too few")],
    )
    assert (shown.title, shown.facts) == ("Nightly", {"Python": "3.12"})
    assert shown.gates == [PageGate("Group sums", "undecided", "too few"), PageGate("Run", "passed", "enough")]
    assert figures(shown) == {
        "Mean reward": ("0.75", "95 % interval 0.20 to 0.97"),
        "Mean, unscored as 0": ("0.50", "1 unscored"),
        "Tests": ("3", "2 scored"),
        "Sandboxes": ("1", "half started within 20 ms"),
    }


def test_a_run_of_nothing_but_unscored_tests_has_no_mean() -> None:
    shown = report(
        ("a", scored(None)), ("b", TestResult("passed", 0.0, Record(Reward(0.0, verdict=Verdict.TIMEOUT), weight=0)))
    )
    assert figures(shown)["Mean reward"] == ("-", "")
    assert [group.mean for group in shown.groups] == [None, None]


def test_tests_that_never_ran_are_named() -> None:
    ledger = Ledger()
    ledger.expect(["a", "b"])
    ledger.add("b", scored(1.0))
    assert report_of(ledger).missing == ("a",)


def test_beside_a_baseline_every_test_has_its_change() -> None:
    before = ledger_of(
        ("a.py::better", scored(0.25)),
        ("a.py::worse", scored(1.0)),
        ("a.py::same", scored(0.5)),
        ("a.py::lost", scored(0.5)),
        ("a.py::gone", scored(0.75)),
    )
    now = ledger_of(
        ("a.py::better", scored(0.5)),
        ("a.py::worse", scored(0.5)),
        ("a.py::same", scored(0.5)),
        ("a.py::lost", scored(None)),
        ("a.py::new", scored(1.0)),
    )
    shown = report_of(now, comparisons=[compare(now, Baseline.of(before))])
    assert [(test.change, test.baseline) for test in shown.tests] == [
        ("better", 0.25),
        ("worse", 1.0),
        ("same", 0.5),
        ("lost", 0.5),
        ("new", None),
    ]
    assert shown.gone == {"a.py::gone": 0.75}
    assert [group.baseline for group in shown.groups] == [0.5625]
    value, note = figures(shown)["Since the baseline"]
    assert value == "-0.08"
    assert note.startswith("95 % interval -0.5")


def test_earlier_runs_stand_beside_this_one() -> None:
    runs = [
        PastRun("one", datetime(2026, 1, 2, 3, 4, tzinfo=UTC), 0.25, {"a": 0.25, "gone": 1.0}),
        PastRun("two", datetime(2026, 2, 2, 3, 4, tzinfo=UTC), None, {"b": None}),
    ]
    history = History(runs, ["three: not JSON"])
    shown = report(("a", scored(1.0)), ("b", scored(0.5)), history=history)
    assert shown.history == [("2026-01-02 03:04", 0.25), ("2026-02-02 03:04", None)]
    assert shown.left_out == ["three: not JSON"]
    assert shown.mean == 0.75
    assert [test.history for test in shown.tests] == [[0.25, None], [None, None]]
    assert ["history" in test for test in details(shown.tests)] == [True, False]
    assert report(("a", scored(1.0)), history=history, partial="stopped").mean is None


def test_what_several_parts_wrote_to_stderr_is_there_once() -> None:
    parts = [Part(str(number), 1.0, stderr=text) for number, text in enumerate(["", "x", "y", "x", "all", "y"])]
    evidence = (Evidence(code="", stderr="all"),)
    shown = report(("a", TestResult("passed", 0.0, Record(Reward(1.0, parts=parts, evidence=evidence)))))
    ((test,),) = (list(details(shown.tests)),)
    of_parts = test["attempts"][0]["parts"]
    assert [part.get("stderr") or part.get("stderrOf") for part in of_parts] == [None, "x", "y", 1, OUTPUT, 2]


def test_circumstances_in_words() -> None:
    facts = {
        "started": "2026-03-04T02:11:09+00:00",
        "versions": {"pytest": "9.2.0", "python": "3.12.1"},
        "host": {"system": "Linux", "machine": "x86_64", "processors": 2},
        "sandboxes": {"provider": "local", "isolation": "auto"},
        "workers": 0,
        "options": {"enabled": True},
        "command": "pytest --rewardkit",
        "seed": "17",
    }
    shown = facts_in(facts, seconds=75)
    assert in_sight(shown) == [
        "2026-03-04 02:11:09 UTC",
        "1 min 15 s",
        "local sandboxes, isolation auto",
        "Linux x86_64, 2 processors",
        "Python 3.12.1",
        "pytest 9.2.0",
        "seed 17",
    ]
    assert shown == {
        "Started": "2026-03-04 02:11:09 UTC",
        "Duration": "1 min 15 s",
        "Sandboxes": "local sandboxes, isolation auto",
        "System": "Linux x86_64, 2 processors",
        "Command": "pytest --rewardkit",
        "Seed": "17",
        "pytest": "9.2.0",
        "Python": "3.12.1",
    }


@pytest.mark.parametrize("facts", [{}, {"host": None, "versions": [], "sandboxes": "x", "workers": {}, "started": 3}])
def test_circumstances_from_elsewhere_are_no_trouble(facts: dict[str, object]) -> None:
    assert set(facts_in(facts)) <= {"Started"}
