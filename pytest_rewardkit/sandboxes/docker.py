"""Sandboxes from a local server in a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pytest_rewardkit.sandboxes.local import LocalProvider
from pytest_rewardkit.sandboxes.server_log import ServerLog
from pytest_rewardkit.sandboxes.servers import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


WARNINGS: Final = {
    "weak": " (candidates can disturb each other and the server)",
    "none": " (NO SECURITY BOUNDARY: run nothing that you do not trust)",
}
REPLACED_SECONDS: Final = 20.0
"""How long a container's end may go without an answer: nothing listens on its address while another one starts."""


class ServerInContainer(Protocol):
    """A server in a container as its users see it, whichever process owns it."""

    isolation: str
    place: str

    def environment(self) -> Mapping[str, str]: ...

    def log_path(self) -> str: ...


class DockerProvider(LocalProvider):
    """Sandboxes from the run's server in a container, which already exists."""

    name = "docker"

    def __init__(self, server: ServerInContainer, say: Callable[[str], None] = tell) -> None:
        super().__init__(server=server, isolation=server.isolation, say=say)
        self._log = ServerLog(server.log_path(), patience=REPLACED_SECONDS)
        self._place = server.place

    @property
    def isolation(self) -> str:
        return self._wanted

    def describe(self) -> str:
        return f"sandboxes in {self._place}, isolation {self.isolation}{WARNINGS.get(self.isolation, '')}"
