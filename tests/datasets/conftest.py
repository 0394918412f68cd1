"""One local server and one test runner for the tests here; each test has its own sandbox, through the real SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.datasets.testcode.test_runner import TestRunner
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.sandboxes.choice import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.sandboxes.provider import Provider


@pytest.fixture(scope="session")
def provider(shared_settings: ServerSettings) -> Iterator[Provider]:
    with LocalServer.listen(shared_settings) as server:
        yield resolve("local", environ={}, server=server, run_id="tests", isolation="auto")


@pytest.fixture(scope="session")
def test_runner(provider: Provider) -> Iterator[TestRunner]:
    with TestRunner(provider.create) as test_runner:
        yield test_runner


@pytest.fixture
def sandbox(provider: Provider) -> Iterator[Sandbox]:
    sandbox = provider.create()
    yield sandbox
    sandbox.kill()
