"""What all example suites share."""

import pytest


@pytest.fixture
def response(request: pytest.FixtureRequest) -> str:
    """What a model answered to this test's task: the file of the test's name in `responses/` beside it."""
    task = request.function.__name__.removeprefix("test_")
    return (request.path.parent / "responses" / f"{task}.md").read_text(encoding="utf-8")
