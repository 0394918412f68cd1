"""Both roles on one port: a request that names a sandbox is traffic, and all others are for the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from pytest_rewardkit.local.api.gateway import destination

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from pytest_rewardkit.local.api.gateway import Gateway

SIGNED_PATH = "/files"
"""The path of signed URLs, which name no sandbox. The control plane has no such path."""


def divert(gateway: Gateway) -> Middleware:
    """A middleware that gives requests for sandboxes to the gateway instead of the application."""

    @web.middleware
    async def answer(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if is_traffic(request):
            return await gateway.answer(request)
        return await handler(request)

    return answer


def is_traffic(request: web.BaseRequest) -> bool:
    """Whether a request is for a sandbox."""
    if request.path == SIGNED_PATH:
        return True
    try:
        return destination(request) is not None
    except Exception:  # the gateway answers it
        return True
