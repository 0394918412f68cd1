"""Ports of a sandbox: requests are passed on to the program that listens there.

The connection uses a socket that the sandbox's guest has opened, so it is in the sandbox's own network.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from yarl import URL

from pytest_rewardkit.local.api import websockets
from pytest_rewardkit.local.api.errors import ApiError, NotServedError, port_closed
from pytest_rewardkit.local.api.signature import matches
from pytest_rewardkit.local.errors import GuestError, GuestGoneError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from multidict import CIMultiDict, CIMultiDictProxy

    from pytest_rewardkit.local.server.sandbox import Sandbox

TOKEN_HEADER = "E2B-Traffic-Access-Token"  # noqa: S105

_CONNECT_SECONDS = 10.0
# Headers of one connection and not of the message (RFC 9110, section 7.6.1), and headers of the gateway itself.
_OWN_HEADERS = frozenset(
    (
        "connection",
        "e2b-sandbox-id",
        "e2b-sandbox-port",
        "e2b-traffic-access-token",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


async def forward(request: web.BaseRequest, sandbox: Sandbox, port: int) -> web.StreamResponse:
    """Passes a request on to a port, and its answer back.

    Raises:
        ApiError: nothing listens there (502), the sandbox requires a token (403), the request names no path (400) or
            another protocol (501), or the listener gives no valid answer (502, 504).
    """
    if not sandbox.request.public_traffic and not matches(request.headers.get(TOKEN_HEADER, ""), sandbox.traffic_token):
        raise ApiError(403, f"the header {TOKEN_HEADER} is missing or wrong")
    upgrade = request.headers.get("Upgrade", "").strip().lower()
    if upgrade not in ("", "websocket"):
        raise NotServedError("other protocols than HTTP and WebSockets on a sandbox's ports")
    if not request.raw_path.startswith("/"):
        raise ApiError(400, "what is asked for of a sandbox's port must be a path")
    url = URL(f"http://127.0.0.1:{port}{request.raw_path}", encoded=True)
    headers = _passed_on(request.headers)
    async with _session(sandbox, port) as session:
        try:
            if upgrade:
                return await websockets.relay(request, session, url, headers)
            answer = await session.request(
                request.method,
                url,
                data=request.content if request.body_exists else None,
                headers=headers,
                allow_redirects=False,
            )
        except websockets.RefusedError as refused:
            answer = refused.answer
        except aiohttp.ClientConnectorError as error:
            raise port_closed(sandbox.id, port) from error
        except aiohttp.ClientError as error:
            message = f"port {port} of the sandbox gave no valid answer: {error}"
            raise ApiError(502, message, sandboxId=sandbox.id) from error
        return await _pass_back(request, answer)


@contextlib.asynccontextmanager
async def _session(sandbox: Sandbox, port: int) -> AsyncIterator[aiohttp.ClientSession]:
    try:
        sock = await sandbox.guest.open_socket()
    except (GuestError, GuestGoneError) as error:
        # A sandbox without a network of its own has no ports.
        raise port_closed(sandbox.id, port) from error
    ending = contextlib.ExitStack()

    async def kept(outgoing: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        return ending.enter_context(contextlib.closing(await handler(outgoing)))

    with contextlib.closing(sock):
        async with aiohttp.ClientSession(
            # The library closes its socket once it has sent everything, so it gets a copy.
            connector=aiohttp.TCPConnector(socket_factory=lambda _: sock.dup(), force_close=True),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            middlewares=(websockets.refusals, kept),
        ) as session:
            with ending:
                # If the server does not read, the library never gets there; a cut ends that.
                ending.callback(_cut, sock)
                yield session


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the socket was not connected
        sock.shutdown(socket.SHUT_RDWR)


async def _pass_back(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_passed_on(answer.headers))
    async with answer:
        await response.prepare(request)
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        except aiohttp.ClientError:
            if request.transport is not None:
                request.transport.abort()  # only a cut connection can show now that the answer was cut
            return response
    await response.write_eof()
    return response


def _passed_on(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    passed = headers.copy()
    named = {name.strip().lower() for value in headers.getall("Connection", []) for name in value.split(",")}
    for name in set(passed):
        if name.lower() in _OWN_HEADERS or name.lower() in named:
            passed.popall(name, None)
    return passed
