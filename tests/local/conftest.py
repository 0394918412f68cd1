"""One local server for the tests of this directory, and the real SDK pointed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from guest_places import everybodys_python
from servers import sdk_address, silent_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from e2b_code_interpreter import AsyncSandbox, Sandbox
    from guest_driver import Box, ForkServer, Kernel

    from pytest_rewardkit.local.handle import LocalServer
    from pytest_rewardkit.local.settings import ServerSettings

    Address = dict[str, str]


__all__ = ["everybodys_python"]


@pytest.fixture
def box(fork_server: ForkServer) -> Iterator[Box]:
    """A sandbox of the file's own fork server."""
    with fork_server.spawn() as box:
        yield box


@pytest.fixture
def kernel(box: Box) -> Kernel:
    return box.kernel()


@pytest.fixture(scope="session")
def server(shared_settings: ServerSettings) -> Iterator[LocalServer]:
    with silent_server(shared_settings) as server:
        yield server


@pytest.fixture(scope="session")
def address(server: LocalServer) -> Address:
    """Keywords that point any call of the SDK to the server."""
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
