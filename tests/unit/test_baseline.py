"""A run compared with its baseline: each test's change, and which changes are a regression."""

import pytest

from pytest_rewardkit import Reward
from pytest_rewardkit.ledger.baseline import Baseline, Change, compare, decide_regression
from pytest_rewardkit.ledger.gate import GateState
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports import changes


def ledger_of(rewards, *, expected=(), weight=1.0):
    """A ledger with a test for each name: a number, None for unscored, CRASHED, or a list of attempts."""
    ledger = Ledger()
    ledger.expect([*expected, *rewards])
    for node_id, found in rewards.items():
        attempts = found if isinstance(found, list) else [found]
        for number, value in enumerate(attempts, 1):
            if value == CRASHED:
                ledger.add(node_id, TestResult(CRASHED))
            else:
                outcome = "passed" if number == len(attempts) else "rerun"
                ledger.add(node_id, TestResult(outcome, 0.0, Record(Reward(value), weight=weight)))
    return ledger


def compared(before, now, **options):
    return compare(ledger_of(now), Baseline.of(ledger_of(before), **options))


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (0.5, 0.25, Change.WORSE),
        (0.5, 0.75, Change.BETTER),
        (0.5, 0.5, Change.SAME),
        (0.1 + 0.2, 0.3, Change.SAME),
        (None, 0.5, Change.NEW),
        (None, None, Change.NEW),
        (CRASHED, 0.5, Change.NEW),
        (0.5, None, Change.LOST),
        (0.5, CRASHED, Change.LOST),
        (0.5, [0.5, CRASHED], Change.LOST),
        # Flaky only if the attempts of the two runs overlap.
        (0.5, [0.25, 0.75], Change.FLAKY),
        (0.5, [0.25, 0.5], Change.FLAKY),
        ([0.0, 1.0], 0.0, Change.FLAKY),
        ([0.0, 1.0], [0.0, 1.0], Change.FLAKY),
        (1.0, [0.25, 0.75], Change.WORSE),
        ([0.0, 0.25], [0.5, 0.75], Change.BETTER),
        ([0.5, 0.5], [0.5], Change.SAME),
        ([None, 0.5], [CRASHED, 0.5], Change.SAME),
    ],
)
def test_what_became_of_a_test(before, now, change):
    assert compared({"a": before}, {"a": now}).changes == {"a": change}


def test_tests_that_only_one_run_has():
    comparison = compared({"gone": 0.5, "both": 1.0}, {"both": 1.0, "new": 0.5})
    assert comparison.changes == {"both": Change.SAME, "new": Change.NEW}
    assert comparison.gone == ("gone",)
    assert comparison.means == (1.0, 1.0)


def test_means_are_of_the_pairs_alone_and_weighted():
    before = ledger_of({"a": 1.0, "b": 0.5, "lost": 1.0})
    now = Ledger()
    for node_id, value, weight in [("a", 0.5, 3.0), ("b", 0.5, 1.0), ("lost", None, 1.0), ("new", 1.0, 1.0)]:
        now.add(node_id, TestResult("passed", 0.0, Record(Reward(value), weight=weight)))
    assert compare(now, Baseline.of(before)).means == ((3 * 1.0 + 0.5) / 4, 0.5)


def test_worst_lost_most():
    comparison = compared({"a": 1.0, "b": 1.0, "c": 0.5}, {"a": 0.75, "b": 0.0, "c": 1.0})
    assert [pair.node_id for pair in comparison.worst] == ["b", "a"]


class TestEachTest:
    """Without a confidence, one test that is worse is a regression."""

    def test_none_worse(self):
        decision = decide_regression(compared({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 1.0}))
        assert (decision.name, decision.state, decision.reason) == (
            "regression",
            GateState.PASSED,
            "none of 2 tests worse",
        )

    def test_worst_are_named(self):
        before = dict.fromkeys("abcde", 1.0)
        decision = decide_regression(compared(before, {"a": 1.0, "b": 0.9999, "c": 0.0, "d": 0.5, "e": 0.75}))
        assert decision.state is GateState.FAILED
        assert decision.reason == "4 of 5 tests worse: c 1.00 -> 0.00, d 1.00 -> 0.50, e 1.00 -> 0.75 and 1 more"

    def test_flaky_and_new_tests_are_not_counted_and_said(self):
        decision = decide_regression(compared({"a": 1.0, "b": 1.0}, {"a": 1.0, "b": [1.0, 0.0], "c": 0.0}))
        assert (decision.state, decision.reason) == (
            GateState.PASSED,
            "none of 2 tests worse (1 flaky, 1 new not counted)",
        )


class TestMean:
    """With a confidence, the mean change decides."""

    def decide(self, differences):
        before = {f"t{number}": 0.5 for number in range(len(differences))}
        now = {f"t{number}": 0.5 + difference for number, difference in enumerate(differences)}
        return decide_regression(compared(before, now), confidence=0.95)

    def test_a_loss_that_is_no_chance(self):
        decision = self.decide([-0.5, -0.25] * 5)
        assert decision.state is GateState.FAILED
        assert decision.reason.startswith("mean change -0.38, 95 % interval -0.45 to -0.30; worst: t0 0.50 -> 0.00,")

    def test_a_loss_that_may_be_chance(self):
        decision = self.decide([-0.5, *[0.0] * 19])
        assert decision.state is GateState.PASSED
        assert decision.reason == "no loss shown: mean change -0.03, 95 % interval -0.07 to +0.00"

    def test_a_gain(self):
        assert self.decide([0.5] * 10).state is GateState.PASSED

    def test_nothing_changed(self):
        decision = self.decide([0.0])
        assert (decision.state, decision.reason) == (GateState.PASSED, "none of 1 test changed")

    def test_too_few_to_decide(self):
        decision = self.decide([-0.5] * 5)
        assert decision.state is GateState.UNDECIDED
        assert decision.reason == (
            "too few to decide: mean change -0.50, 95 % interval -0.50 to -0.50 over 5 tests; "
            "to show a change with 95 % confidence takes 6 at least"
        )
        assert self.decide([-0.5] * 6).state is GateState.FAILED


@pytest.mark.parametrize("confidence", [None, 0.95])
class TestFailsClosed:
    def reason(self, comparison, confidence, **options):
        decision = decide_regression(comparison, confidence=confidence, **options)
        assert decision.state is GateState.FAILED
        return decision.reason

    def test_tests_that_are_gone(self, confidence):
        before = dict.fromkeys("abcde", 1.0)
        assert self.reason(compared(before, {"e": 1.0}), confidence) == (
            "4 tests of the baseline earned no reward in this run: a, b, c and 1 more"
        )

    def test_tests_that_lost_their_number(self, confidence):
        assert self.reason(compared({"a": 1.0, "b": 0.0}, {"a": None, "b": CRASHED}), confidence) == (
            "2 tests scored in the baseline, and not in this run: a, b"
        )

    def test_tests_that_never_ran(self, confidence):
        comparison = compared({"a": 1.0}, {"a": 1.0})
        assert self.reason(comparison, confidence, missing=["new"]) == "1 collected test never ran to an end: new"

    def test_a_run_that_is_not_whole(self, confidence):
        comparison = compared({"a": 1.0}, {"a": 1.0})
        reason = "1 file could not be collected"
        assert self.reason(comparison, confidence, unfinished=reason) == reason

    def test_a_baseline_that_is_not_whole(self, confidence):
        comparison = compared({"a": 1.0}, {"a": 1.0}, unfinished="old.jsonl is cut off")
        assert self.reason(comparison, confidence) == "old.jsonl is cut off"

    def test_nothing_to_compare(self, confidence):
        assert self.reason(compared({}, {"a": 1.0}), confidence) == "no test has a number in both runs"
        weightless = compare(ledger_of({"a": 1.0}, weight=0.0), Baseline.of(ledger_of({"a": 1.0})))
        assert self.reason(weightless, confidence) == "no test has a number in both runs"


def test_as_text():
    comparison = compared(
        {"a": 1.0, "b": 0.5, "c": 0.5, "d": 1.0, "e": 0.5, "f": 0.0},
        {"a": 0.25, "b": 0.5, "d": None, "e": [0.0, 1.0], "f": 1.0, "g": 1.0},
        name="old.jsonl",
    )
    assert changes.summary(comparison) == [
        "baseline old.jsonl: 1 worse, 1 lost, 1 flaky, 1 better, 1 new, 1 same, 1 gone",
        "mean of the 4 tests in both 0.50 -> 0.69, change +0.19, 95 % interval -0.44 to +0.75",
    ]
    assert changes.details(comparison, most=None) == [
        ("worse", "1.00 -> 0.25  a"),
        ("lost", "1.00 -> -  d"),
        ("gone", "0.50 -> -  c"),
        ("flaky", "0.50 -> 1.00  e"),
        ("better", "0.00 -> 1.00  f"),
    ]
    assert changes.details(comparison, most=3)[2:] == [("gone", "0.50 -> -  c"), ("", "2 more (-v shows all)")]


def test_nothing_in_common_as_text():
    assert changes.summary(compared({}, {})) == ["baseline baseline: no tests"]
