"""One local server for the tests of this directory; each test has a sandbox of its own, by the real SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.local.settings import Settings


@pytest.fixture(scope="session")
def server(shared_settings: Settings) -> Iterator[LocalServer]:
    with LocalServer.listen(shared_settings) as server:
        yield server


@pytest.fixture
def sandbox(server: LocalServer) -> Iterator[Sandbox]:
    from e2b_code_interpreter import Sandbox

    variables = server.environment()
    sandbox = Sandbox.create(
        api_key=variables["E2B_API_KEY"],
        api_url=variables["E2B_API_URL"],
        sandbox_url=variables["E2B_SANDBOX_URL"],
        domain=variables["E2B_DOMAIN"],
    )
    yield sandbox
    sandbox.kill()
