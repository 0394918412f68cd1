"""Shared by all example suites: responses, the rewards they deserve, and right answers for the self-check."""

import pytest
from pytest import approx


def pytest_itemcollected(item):
    """Responses are of every kind, and each test should pass with its own; graders are checked unchanged."""
    if not item.config.getoption("rewardkit_selfcheck"):
        deserved = item.get_closest_marker("deserves")
        item.add_marker(pytest.mark.reward(threshold=deserved.args[0] if deserved else 0.0), append=False)


@pytest.fixture(autouse=True)
def deserved(request: pytest.FixtureRequest, reward):
    """Each response earns what the marker `deserves`, or its row, says."""
    row = request.getfixturevalue("row") if "row" in request.fixturenames else None
    yield
    if request.config.getoption("rewardkit_selfcheck"):
        return
    part = None
    if row is not None:
        value, verdict = row["reward"], row["verdict"]
    elif marker := request.node.get_closest_marker("deserves"):
        (value, verdict), part = marker.args, marker.kwargs.get("part")
    else:
        return
    earned = reward.reward
    assert (earned.value, earned.verdict) == (approx(value), verdict)
    assert part is None or part in [judged.verdict for judged in earned.parts]


@pytest.fixture
def candidate(request: pytest.FixtureRequest) -> str:
    """A model's answer to this test's task: the file with the test's name in `responses/`, or its row's response."""
    if "row" in request.fixturenames:
        return request.getfixturevalue("row").candidate
    return _text_of(request, "responses", ".md")


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str:
    """A right answer: the file with the test's name in `references/`, or a response that deserves the whole reward."""
    marker = request.node.get_closest_marker("deserves")
    is_right = marker is not None and marker.args[0] == 1 and "candidate" not in request.node.callspec.params
    return _text_of(request, "responses", ".md") if is_right else _text_of(request, "references", ".*")


def _text_of(request: pytest.FixtureRequest, folder: str, suffix: str) -> str:
    task = request.function.__name__.removeprefix("test_")
    (file,) = (request.path.parent / folder).glob(task + suffix)
    return file.read_text(encoding="utf-8")
