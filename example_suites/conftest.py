"""What all example suites share: responses, what they deserve, and right answers for the self-check."""

import pytest
from pytest import approx


def pytest_itemcollected(item):
    """The responses here are of every kind: each test passes if its response earns what it deserves."""
    deserved = item.get_closest_marker("deserves")
    if deserved and not item.config.getoption("rewardkit_selfcheck"):
        item.add_marker(pytest.mark.reward(threshold=deserved.args[0]), append=False)


@pytest.fixture
def candidate(request: pytest.FixtureRequest, reward):
    """What a model answered to this test's task: the file of the test's name in `responses/`, or its row's response."""
    if "row" in request.fixturenames:
        row = request.getfixturevalue("row")
        yield row.candidate
        value, verdict, part = row["reward"], row["verdict"], None
    else:
        yield _text_of(request, "responses", ".md")
        deserved = request.node.get_closest_marker("deserves")
        (value, verdict), part = deserved.args, deserved.kwargs.get("part")
    earned = reward.reward
    assert (earned.value, earned.verdict) == (approx(value), verdict)
    assert part is None or part in [judged.verdict for judged in earned.parts]


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str | None:
    """A right answer: the file of the test's name in `references/`, or a response that deserves the whole reward."""
    deserved = request.node.get_closest_marker("deserves")
    if deserved is None:
        return None
    if deserved.args[0] == 1:
        return _text_of(request, "responses", ".md")
    return _text_of(request, "references", ".py")


def _text_of(request: pytest.FixtureRequest, folder: str, suffix: str) -> str:
    task = request.function.__name__.removeprefix("test_")
    return (request.path.parent / folder / f"{task}{suffix}").read_text(encoding="utf-8")
