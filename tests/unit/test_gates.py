"""The decisions of gates, and their explanations."""

import pytest

from pytest_rewardkit import Reward
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.gate import Gate, GateState
from pytest_rewardkit.ledger.gates import decide, decide_must_pass
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.selection import Selection
from pytest_rewardkit.ledger.test import CRASHED, Test, TestResult

PASSED, FAILED, UNDECIDED = GateState.PASSED, GateState.FAILED, GateState.UNDECIDED


def attempt(value, *, outcome="passed", **record):
    return TestResult(outcome, 0.0, Record(Reward(value), **record))


def rewarded(*values, **record):
    return [Test(f"test_{number}", [attempt(value, **record)]) for number, value in enumerate(values)]


def crashed(node_id="test_crashed"):
    return Test(node_id, [TestResult(CRASHED, cause="worker 'gw0' crashed")])


@pytest.mark.parametrize(
    ("values", "state", "reason"),
    [
        ([1.0, 0.6], PASSED, "mean 0.80 >= 0.8"),
        ([1.0, 0.59], FAILED, "mean 0.79 < 0.8"),
        ([1.0, 1.0, 1.0, 1.0, None], PASSED, "mean 0.80 >= 0.8, 1 unscored test counting as 0"),
        ([1.0, None], FAILED, "mean 0.50 < 0.8, 1 unscored test counting as 0"),
        ([], FAILED, "no test earned a reward, so there is no mean"),
    ],
)
def test_mean(values, state, reason):
    decision = decide(Gate(fail_under=0.8), rewarded(*values))
    assert (decision.name, decision.state, decision.reason) == ("run", state, reason)
    assert decision.passed is (state is PASSED)


def test_weights_of_0_have_no_mean():
    decision = decide(Gate(fail_under=0.0), rewarded(1.0, weight=0))
    assert (decision.state, decision.reason) == (FAILED, "no test has a weight over 0, so there is no mean")


def test_mean_does_not_hang_on_rounding():
    assert decide(Gate(fail_under=0.7), rewarded(*[1.0] * 7, *[0.0] * 3, weight=0.1)).passed


def test_crashed_tests_count_as_0():
    decision = decide(Gate(fail_under=0.5), [*rewarded(1.0), crashed(), crashed("test_too")])
    assert (decision.state, decision.reason) == (FAILED, "mean 0.33 < 0.5, 2 unscored tests counting as 0")


@pytest.mark.parametrize("gate", [Gate(fail_under=0.0), Gate(min_pass_rate=0.0), Gate(max_unscored=9)])
def test_nothing_passes_where_tests_are_missing(gate):
    decision = decide(gate, rewarded(1.0), missing=["test_lost"])
    assert (decision.state, decision.reason) == (
        FAILED,
        "1 collected test never ran to an end, so the mean is not known",
    )


def test_nothing_passes_in_an_unfinished_run():
    decision = decide(Gate(fail_under=0.0), rewarded(1.0), unfinished="1 file could not be collected")
    assert (decision.state, decision.reason) == (FAILED, "1 file could not be collected")


def test_pass_rate_counts_what_pytest_let_pass():
    tests = [
        Test("passed", [attempt(0.3)]),
        Test("passed in the end", [attempt(0.0, outcome="rerun"), attempt(1.0)]),
        Test("passed against expectation", [attempt(1.0, outcome="xpassed")]),
        Test("failed", [attempt(0.3, outcome="failed")]),
        Test("failed as expected", [attempt(0.0, outcome="xfailed")]),
        Test("unscored, though pytest let it pass", [attempt(None)]),
        crashed(),
        Test("error after it passed", [attempt(1.0, outcome="error")]),
    ]
    decision = decide(Gate(min_pass_rate=0.5), tests)
    assert (decision.state, decision.reason) == (FAILED, "pass rate 0.38 < 0.5, 3 of 8 passed")
    assert decide(Gate(min_pass_rate=3 / 8), tests).passed


def test_unscored_tests_are_bounded():
    tests = [*rewarded(1.0, None), crashed()]
    assert decide(Gate(max_unscored=2), tests).reason == "2 unscored tests <= 2"
    decision = decide(Gate(max_unscored=1), tests)
    assert (decision.state, decision.reason) == (FAILED, "2 unscored tests > 1")


def test_every_condition_must_hold_and_those_that_do_not_are_named():
    gate = Gate(fail_under=0.9, min_pass_rate=0.5, max_unscored=0)
    assert decide(gate, rewarded(1.0, 0.5, None)).reason == (
        "mean 0.50 < 0.9, 1 unscored test counting as 0; 1 unscored test > 0"
    )
    assert decide(gate, rewarded(1.0)).reason == (
        "mean 1.00 >= 0.9; pass rate 1.00 >= 0.5, 1 of 1 passed; 0 unscored tests <= 0"
    )


class TestGroups:
    def test_by_the_marker(self):
        tests = [Test("a", [attempt(1.0, group="sorting")]), Test("b", [attempt(0.0, group="graphs")])]
        assert decide(Gate(name="sorting", fail_under=1.0), tests).passed
        assert not decide(Gate(name="graphs", fail_under=1.0), tests).passed

    def test_by_selection_whatever_the_marker_says(self):
        tests = [Test("test_graphs.py::a", [attempt(1.0, group="sorting")]), Test("b", [attempt(0.0)])]
        assert decide(Gate(name="sorting", select=Selection("graphs"), fail_under=1.0), tests).passed

    def test_no_test_of_it_ran(self):
        decision = decide(Gate(name="sorting", fail_under=0.0), rewarded(1.0))
        assert (decision.state, decision.reason) == (FAILED, "none of its tests ran")

    def test_a_crashed_test_may_be_of_any_group(self):
        tests = [*rewarded(1.0, group="sorting"), crashed()]
        decision = decide(Gate(name="sorting", fail_under=0.0), tests)
        assert (decision.state, decision.reason) == (FAILED, "1 crashed test may be of this group")

    def test_a_crashed_test_whose_earlier_attempt_told_its_group(self):
        known = Test("a", [attempt(0.0, outcome="rerun", group="graphs"), TestResult(CRASHED)])
        tests = [*rewarded(1.0, group="sorting"), known]
        assert decide(Gate(name="sorting", fail_under=1.0), tests).passed
        assert decide(Gate(name="graphs", fail_under=0.1), tests).reason.startswith("mean 0.00 < 0.1")

    def test_a_missing_test_may_be_of_any_group(self):
        decision = decide(Gate(name="sorting", fail_under=0.0), rewarded(1.0, group="sorting"), missing=["x"])
        assert (decision.state, decision.reason) == (
            FAILED,
            "1 collected test never ran to an end, and may be of this group",
        )

    def test_a_selection_knows_what_is_missing(self):
        gate = Gate(name="sorting", select=Selection("test_0"), fail_under=1.0)
        assert decide(gate, rewarded(1.0), missing=["other"]).passed
        assert not decide(gate, rewarded(1.0), missing=["test_0[x]"]).passed

    def test_all_must_pass(self):
        tests = [Test(name, [attempt(0.2, outcome="failed", group="g")]) for name in "abcde"]
        decision = decide(Gate(name="g", must_pass=True), [*tests, *rewarded(1.0, group="g")])
        assert (decision.state, decision.reason) == (
            FAILED,
            "5 of 6 tests that must pass did not: a, b, c and 2 more",
        )
        assert decide(Gate(name="g", must_pass=True), rewarded(1.0, group="g")).passed


class TestConfidence:
    """Intervals are at 95 %; a mean of 0.8 takes at least 16 tests."""

    def decide(self, *values, **gate):
        outcomes = [
            Test(f"test_{n}", [attempt(v, outcome="passed" if v == 1.0 else "failed")]) for n, v in enumerate(values)
        ]
        return decide(Gate(confidence=0.95, **gate), outcomes)

    def test_even_the_best_can_be_too_few(self):
        decision = self.decide(*[1.0] * 15, fail_under=0.8)
        assert (decision.state, decision.reason) == (
            UNDECIDED,
            "too few to decide: mean 1.00 of 15 tests; to show 0.8 with 95 % confidence takes 16 at least",
        )
        assert not decision.passed
        assert self.decide(*[1.0] * 16, fail_under=0.8).passed

    def test_clearly_under(self):
        decision = self.decide(*[0.0, 0.5] * 5, fail_under=0.8)
        assert decision.state is FAILED
        assert decision.reason.startswith("mean 0.25 < 0.8, 95 % interval 0.")

    def test_clearly_over(self):
        decision = self.decide(*[0.9, 1.0] * 50, fail_under=0.8)
        assert decision.state is PASSED
        assert decision.reason == "mean 0.95 >= 0.8, 95 % interval 0.94 to 0.96"

    def test_between_is_too_few(self):
        decision = self.decide(*[1.0] * 17, *[0.0] * 3, fail_under=0.8)
        assert decision.state is UNDECIDED
        assert decision.reason.startswith("too few to decide: mean 0.85 of 20 tests, 95 % interval 0.")
        assert decision.reason.endswith("around 0.8; about 180 such tests would decide")

    def test_a_mean_at_the_bound_is_never_decided(self):
        assert "would decide" not in self.decide(*[1.0] * 16, *[0.0] * 4, fail_under=0.8).reason

    def test_pass_rate_by_wilson(self):
        # Wilson's interval for 95 of 100 is 0.888 to 0.978.
        values = [1.0] * 95 + [0.9] * 5
        assert self.decide(*values, min_pass_rate=0.88).passed
        decision = self.decide(*values, min_pass_rate=0.9)
        assert (decision.state, decision.reason) == (
            UNDECIDED,
            "too few to decide: pass rate 0.95 of 100 tests, 95 of 100 passed, 95 % interval 0.89 to 0.98 around 0.9; "
            "about 150 such tests would decide",
        )
        assert self.decide(*values, min_pass_rate=0.98).state is FAILED

    def test_a_condition_that_failed_outweighs_one_that_is_undecided(self):
        decision = self.decide(1.0, None, fail_under=0.8, max_unscored=0)
        assert (decision.state, decision.reason) == (FAILED, "1 unscored test > 0")

    @pytest.mark.parametrize("bound", ["fail_under", "min_pass_rate"])
    def test_certainty_is_refused(self, bound):
        with pytest.raises(RewardkitUsageError, match="no number of tests shows a mean or a rate of 1"):
            Gate(confidence=0.95, **{bound: 1.0})


class TestMustPass:
    def test_no_marker_no_gate(self):
        assert decide_must_pass(rewarded(0.0)) is None

    def test_marked_tests_must_pass(self):
        good, other = rewarded(1.0, must_pass=True), rewarded(0.0)
        assert decide_must_pass([*good, *other]).reason == "1 test that must pass did"
        bad = Test("bad", [attempt(None, must_pass=True)])
        decision = decide_must_pass([*good, *other, bad])
        assert (decision.name, decision.passed) == ("must_pass", False)
        assert decision.reason == "1 of 2 tests that must pass did not: bad"

    def test_a_crash_does_not_hide_the_marker(self):
        lost = Test("lost", [attempt(1.0, outcome="rerun", must_pass=True), TestResult(CRASHED)])
        assert not decide_must_pass([lost]).passed


def test_names_of_tests_act_on_no_terminal():
    bad = Test("test_\x1b[2J" + "x" * 500, [attempt(0.0, outcome="failed", must_pass=True)])
    reason = decide_must_pass([bad]).reason
    assert "\\x1b[2J" in reason
    assert reason.isprintable()
    assert len(reason) < 250
