"""Both roles behind one port: sandboxes' traffic is told by what it names, and all else is the control plane's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from pytest_rewardkit.local.api.gateway import destination

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from pytest_rewardkit.local.api.gateway import Gateway

SIGNED_PATH = "/files"
"""The path of the URLs that name no sandbox and have a signature instead. The control plane has no such path."""


def divert(gateway: Gateway) -> Middleware:
    """What takes the requests that are for a sandbox out of an application, and gives them to the gateway."""

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
    except Exception:  # which the gateway answers
        return True
