"""One local server for the tests of this directory; each test has its own sandbox, through the real SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from faulty_proxy import FaultyProxy

from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.local.settings import ServerSettings


@pytest.fixture(scope="session")
def server(shared_settings: ServerSettings) -> Iterator[LocalServer]:
    with LocalServer.listen(shared_settings) as server:
        yield server


def address_of(server: LocalServer) -> dict[str, str]:
    """Variables that point `Sandbox.create` to the server."""
    variables = server.environment()
    return {
        "api_key": variables["E2B_API_KEY"],
        "api_url": variables["E2B_API_URL"],
        "sandbox_url": variables["E2B_SANDBOX_URL"],
        "domain": variables["E2B_DOMAIN"],
    }


@pytest.fixture
def address(server: LocalServer) -> dict[str, str]:
    return address_of(server)


@pytest.fixture
def sandbox(server: LocalServer) -> Iterator[Sandbox]:
    from e2b_code_interpreter import Sandbox

    sandbox = Sandbox.create(**address_of(server))
    yield sandbox
    sandbox.kill()


@pytest.fixture
def proxy(server: LocalServer) -> Iterator[FaultyProxy]:
    """A connection to the server's sandboxes that tests can break."""
    port = urlsplit(server.environment()["E2B_SANDBOX_URL"]).port
    assert port is not None
    with FaultyProxy(port) as proxy:
        yield proxy


@pytest.fixture
def far_sandbox(server: LocalServer, proxy: FaultyProxy) -> Iterator[Callable[[float], Sandbox]]:
    """Makes sandboxes behind the proxy, whose requests time out after so many seconds."""
    from e2b_code_interpreter import Sandbox

    made: list[Sandbox] = []

    def make(seconds: float) -> Sandbox:
        address = {**address_of(server), "sandbox_url": f"http://127.0.0.1:{proxy.port}"}
        sandbox = Sandbox.create(**address)
        sandbox.connection_config.request_timeout = seconds
        made.append(sandbox)
        return sandbox

    yield make
    proxy.spoil(None)
    for sandbox in made:
        sandbox.kill()
