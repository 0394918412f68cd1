"""How tests lead the SDK to a server without the environment's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_rewardkit.local.handle import LocalServer

    Address = dict[str, str]


def sdk_address(server: LocalServer) -> Address:
    variables = server.environment()
    return {
        "api_key": variables["E2B_API_KEY"],
        "api_url": variables["E2B_API_URL"],
        "sandbox_url": variables["E2B_SANDBOX_URL"],
        "domain": variables["E2B_DOMAIN"],
    }
