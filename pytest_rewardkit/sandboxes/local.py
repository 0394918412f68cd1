"""Sandboxes from the local server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes import creation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.sandboxes.provider import Server


def require_platform() -> None:
    """Refuses where the local server cannot work.

    Raises:
        RewardkitUsageError: this is not Linux.
    """
    if sys.platform != "linux":
        raise RewardkitUsageError(
            "the local provider isolates sandboxes with Linux's namespaces, Landlock and seccomp, and this is "
            f"{sys.platform}; set E2B_API_KEY and use --rewardkit-provider=e2b, or run in a Linux container"
        )


class LocalProvider:
    """Sandboxes by the run's local server, which its first request starts."""

    name = "local"

    def __init__(self, *, server: Server, isolation: str) -> None:
        self._server = server
        self._isolation = isolation

    def describe(self) -> str:
        return f"local sandboxes, isolation {self._isolation}"

    def environment(self) -> Mapping[str, str]:
        return self._server.environment()

    def create(self, **options: Any) -> Sandbox:
        return creation.create(**{**self._address(), **options})

    async def create_async(self, **options: Any) -> AsyncSandbox:
        return await creation.create_async(**{**self._address(), **options})

    def _address(self) -> dict[str, str]:
        variables = self._server.environment()
        names = {
            "E2B_API_KEY": "api_key",
            "E2B_API_URL": "api_url",
            "E2B_DOMAIN": "domain",
            "E2B_SANDBOX_URL": "sandbox_url",
        }
        return {keyword: variables[variable] for variable, keyword in names.items()}

    def close(self) -> None:
        pass  # the server's end is its sandboxes' end
