"""Details of records are kept while there is room, and numbers always."""

from pytest_rewardkit import Part, Reward
from pytest_rewardkit.ledger.model_use import ModelUse
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.step import SandboxStep
from pytest_rewardkit.run.controller.details_budget import DetailsBudget


def record(value):
    return Record(
        Reward.from_parts([Part("a", value), Part("b", value, actual="x" * 100)], reason="so it is"), left_out=1
    )


def details(budget, value, size):
    found = record(value)
    budget.bound(found, size)
    assert (found.reward.value, found.reward.reason) == (value, "so it is")
    assert found.left_out == 3 - len(found.reward.parts)
    return len(found.reward.parts)


def test_details_go_when_the_room_is_spent():
    budget = DetailsBudget(budget=100)
    assert [details(budget, 0.5, 40) for _ in range(4)] == [2, 2, 0, 0]
    assert details(budget, 0.5, 20) == 2


def test_half_of_the_room_is_for_tests_that_lost():
    budget = DetailsBudget(budget=100)
    assert [details(budget, 1.0, 30) for _ in range(3)] == [2, 0, 0]
    assert [details(budget, 0.0, 30) for _ in range(3)] == [2, 2, 0]


def test_what_has_no_details_takes_no_room():
    budget = DetailsBudget(budget=10)
    for found in (Record(None), Record(Reward(0.5)), Record(Reward.unscored("gone"))):
        budget.bound(found, 1000)
        assert found.left_out == 0
    assert details(budget, 0.5, 10) == 2


def test_prompts_and_steps_go_too():
    budget = DetailsBudget(budget=100)
    for kept in (True, False):
        found = Record(Reward(0.5), asked=ModelUse(prompt="Write it", cost=1.0), steps=(SandboxStep("cell", "1"),))
        budget.bound(found, 60)
        assert found.asked == ModelUse(prompt="Write it" if kept else "", cost=1.0)
        assert bool(found.steps) == kept
