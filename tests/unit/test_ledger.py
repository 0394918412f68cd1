import pytest

from pytest_rewardkit import Part, Reward, Verdict
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.ledger.test import CRASHED, TestResult


def attempt(value, *, duration=0.0, weight=1.0, starts=(), verdict=None, outcome="passed"):
    reward = Reward(value) if verdict is None else Reward(value, verdict=verdict)
    return TestResult(
        outcome, duration, Record(reward, weight=weight, sandboxes=tuple(SandboxUse(0, s) for s in starts))
    )


@pytest.fixture
def ledger():
    return Ledger()


def test_means_over_scored_and_over_all(ledger):
    ledger.add("a", attempt(1.0))
    ledger.add("b", attempt(0.5))
    ledger.add("c", attempt(None))
    ledger.add("d", TestResult(CRASHED, cause="worker 'gw0' crashed"))
    figures = ledger.figures()
    assert (figures.tests, figures.scored, figures.unscored) == (4, 2, 2)
    assert (figures.mean, figures.strict_mean) == (0.75, 0.375)


def test_means_are_weighted(ledger):
    ledger.add("a", attempt(1.0, weight=3))
    ledger.add("b", attempt(0.0))
    ledger.add("c", attempt(None, weight=0))
    assert (ledger.figures().mean, ledger.figures().strict_mean) == (0.75, 0.75)


def test_no_test_has_no_mean(ledger):
    ledger.add("plain", TestResult("passed"))
    figures = ledger.figures()
    assert (figures.tests, figures.mean, figures.strict_mean, figures.slowest) == (0, None, None, ())


def test_last_attempt_counts_and_none_counts_twice(ledger):
    ledger.add("a", attempt(0.0, outcome="rerun"))
    ledger.add("a", TestResult(CRASHED))
    ledger.add("a", attempt(1.0))
    figures = ledger.figures()
    assert (figures.tests, figures.mean, figures.reruns) == (1, 1.0, 2)


def test_verdicts_are_counted_in_their_order(ledger):
    ledger.add("crashed", TestResult(CRASHED))
    ledger.add("slow", attempt(0.0, verdict=Verdict.TIMEOUT))
    ledger.add("right", attempt(1.0))
    ledger.add("right too", attempt(1.0))
    assert list(ledger.figures().verdicts.items()) == [("passed", 2), ("timeout", 1), ("crashed", 1)]


def test_order_is_that_of_collection_whoever_came_first(ledger):
    ledger.expect(["a", "b", "c"])
    for node_id in ("c", "b", "a"):
        ledger.add(node_id, attempt(0.5))
    ledger.add("b", attempt(None))
    assert [test.node_id for test in ledger.tests] == ["a", "b", "c"]
    assert [test.node_id for test in ledger.worst_first] == ["b", "a", "c"]


def test_missing_tests_are_those_that_never_ran_to_an_end(ledger):
    ledger.expect(["a", "b", "c"])
    ledger.add("b", TestResult("skipped"))
    assert ledger.figures().missing == ("a", "c")


def test_slowest_are_named(ledger):
    for node_id, seconds in {"a": 1.0, "b": 3.0, "c": 2.0, "d": 0.5}.items():
        ledger.add(node_id, attempt(1.0, duration=seconds))
    assert ledger.figures().slowest == (("b", 3.0), ("c", 2.0), ("a", 1.0))


def test_sandboxes_of_every_attempt_and_test_are_counted(ledger):
    ledger.add("a", attempt(1.0, starts=[0.1, 0.2]))
    ledger.add("a", attempt(1.0, starts=[0.3]))
    ledger.add("plain", TestResult("passed", 0.0, Record(None, sandboxes=(SandboxUse(0, 0.4),))))
    figures = ledger.figures()
    assert (figures.tests, figures.sandboxes, figures.start_p50, figures.start_p95) == (1, 4, 0.2, 0.4)


def test_percentiles_are_of_the_nearest_rank(ledger):
    ledger.add("a", attempt(1.0, starts=[n / 100 for n in range(1, 101)]))
    figures = ledger.figures()
    assert (figures.start_p50, figures.start_p95) == (0.5, 0.95)


def test_why_is_the_reason_of_the_part_that_cost_most(ledger):
    parts = [Part("right", 1.0, reason="fine"), Part("half", 0.5, reason="so so"), Part("wrong", 0.0, reason="no")]
    assert (
        ledger.add("a", TestResult("passed", 0.0, Record(Reward.from_parts(parts, reason="whole")))).why == "wrong: no"
    )
    assert (
        ledger.add("b", TestResult("passed", 0.0, Record(Reward(1.0, tuple(parts[:1]), reason="whole")))).why == "whole"
    )
    assert ledger.add("c", TestResult("passed", 0.0, Record(Reward(None, tuple(parts), reason="gone")))).why == "gone"
    assert ledger.add("d", TestResult(CRASHED, cause="worker died")).why == "worker died"


def test_waiting_for_sandboxes_is_told_apart_from_what_tests_take(ledger):
    waited = Record(Reward(1.0), sandboxes=(SandboxUse(5.0, 0.1), SandboxUse(2.0, 0.1)))
    ledger.add("waited", TestResult("passed", 8.0, waited))
    ledger.add("slow", attempt(1.0, duration=3.0))
    figures = ledger.figures()
    assert figures.slowest == (("slow", 3.0), ("waited", 1.0))
    assert figures.waited == 7.0
