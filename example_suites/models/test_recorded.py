"""Two models side by side, with recorded answers: nothing here asks a model. Run it with the README's options."""

import pytest

from pytest_rewardkit import Case, assert_cases

PROMPT = "Write clamp(value, low, high) in Python: value, but no less than low and no more than high."


@pytest.fixture
def candidate(model, prompt):
    pytest.skip(f"nobody asks {model} here to {prompt!r}; replay candidates.jsonl")


@pytest.fixture
def prompt():
    return PROMPT


@pytest.mark.reward_models("careful", "hasty")
def test_clamp(sandbox, candidate):
    cases = [
        Case(call="clamp", args=[5, 0, 10], expected=5),
        Case(call="clamp", args=[-1, 0, 10], expected=0),
        Case(call="clamp", args=[11, 0, 10], expected=10),
    ]
    assert_cases(sandbox, candidate, cases)
