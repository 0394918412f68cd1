import pytest

from pytest_rewardkit import Reward
from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports.harbor import harbor_rewards


def ledger_of(*tests):
    ledger = Ledger()
    for number, (value, group, weight) in enumerate(tests):
        ledger.add(f"a.py::test_{number}", TestResult("passed", 0.0, Record(Reward(value), group=group, weight=weight)))
    return ledger


def rewards(ledger, *, complete=True, uncollected=0):
    return harbor_rewards(ledger, complete=complete, uncollected=uncollected)


def test_the_mean_of_all_and_of_each_group():
    ledger = ledger_of((1.0, "sums", 3), (0.0, "sums", 1), (0.5, None, 4))
    ledger.add("a.py::test_plain", TestResult("failed"))
    assert rewards(ledger) == {"reward": 0.625, "sums": 0.75}


def test_no_test_has_no_reward():
    assert rewards(Ledger()) == {}


@pytest.mark.parametrize("told", [{"complete": False}, {"uncollected": 1}])
def test_a_run_that_is_not_whole_has_none(told):
    with pytest.raises(UnscoredError):
        rewards(ledger_of((1.0, None, 1)), **told)


def test_what_is_not_known_is_no_zero():
    with pytest.raises(UnscoredError, match="test_1 is unscored"):
        rewards(ledger_of((1.0, None, 1), (None, None, 1)))
    crashed = ledger_of((1.0, None, 1))
    crashed.add("a.py::test_dead", TestResult(CRASHED, cause="worker 'gw0' crashed"))
    with pytest.raises(UnscoredError, match="test_dead is unscored"):
        rewards(crashed)
    missing = ledger_of((1.0, None, 1))
    missing.expect(["a.py::test_0", "a.py::test_never"])
    with pytest.raises(UnscoredError, match="test_never did not run"):
        rewards(missing)


def test_a_group_cannot_take_the_place_of_the_whole():
    with pytest.raises(UnscoredError, match="called 'reward'"):
        rewards(ledger_of((1.0, "reward", 1)))
