"""Servers for tests, and ways to point the SDK to them without environment variables."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_rewardkit.local.handle import COMMAND, LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_rewardkit.local.settings import ServerSettings

    Address = dict[str, str]


def sdk_address(server: LocalServer) -> Address:
    variables = server.environment()
    return {
        "api_key": variables["E2B_API_KEY"],
        "api_url": variables["E2B_API_URL"],
        "sandbox_url": variables["E2B_SANDBOX_URL"],
        "domain": variables["E2B_DOMAIN"],
    }


@contextmanager
def silent_server(settings: ServerSettings | None = None, command: Sequence[str] = COMMAND) -> Iterator[LocalServer]:
    """A server whose log must be empty when it ends."""
    with LocalServer.listen(settings, command=command) as server:
        yield server
        log = server.log()
    assert not log, f"the server wrote to its log:\n{log}"
