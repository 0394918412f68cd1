"""One local server for the tests of this directory, and the real SDK led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from addresses import sdk_address

from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    Address = dict[str, str]


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    with LocalServer.listen() as server:
        yield server
        log = server.log()
    assert not log, f"the server wrote to its log:\n{log}"


@pytest.fixture(scope="session")
def address(server: LocalServer) -> Address:
    """Keywords that lead any call of the SDK to the server."""
    return sdk_address(server)


@pytest.fixture
def sandbox(address: Address) -> Iterator[Sandbox]:
    from e2b_code_interpreter import Sandbox

    sandbox = Sandbox.create(**address)
    yield sandbox
    sandbox.kill()


@pytest_asyncio.fixture
async def async_sandbox(address: Address) -> AsyncIterator[AsyncSandbox]:
    from e2b_code_interpreter import AsyncSandbox

    sandbox = await AsyncSandbox.create(**address)
    yield sandbox
    await sandbox.kill()
