"""WebSockets to a sandbox's port: one connection on each side; each message is passed on to the other side.

Both ends may be hostile, so the server speaks to both with a library that checks its input.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import WSMsgType, web

from pytest_rewardkit.local.api.errors import ApiError
from pytest_rewardkit.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multidict import CIMultiDict
    from yarl import URL

    Side = web.WebSocketResponse | aiohttp.ClientWebSocketResponse

MAX_MESSAGE_BYTES = 16 * 2**20
"""A message of this size or more ends its connection with the close code 1009."""

_HANDSHAKE_SECONDS = 10.0
_CLOSE_SECONDS = 10.0
_SUBPROTOCOLS = "Sec-WebSocket-Protocol"


class RefusedError(LocalError):
    """A server answered a handshake with a status other than 101.

    Parameters:
        answer: its answer, whose body has not been read yet.
    """

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        super().__init__(f"the handshake was answered with {answer.status}")
        self.answer = answer


async def refusals(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The middleware that a session must have: aiohttp would follow a redirect and discard a refusal's body."""
    answer = await handler(request)
    if "Upgrade" in request.headers and answer.status != 101:
        raise RefusedError(answer)
    return answer


async def relay(
    request: web.BaseRequest, session: aiohttp.ClientSession, url: URL, headers: CIMultiDict[str]
) -> web.StreamResponse:
    """Passes the messages of a WebSocket on in both directions, until it is closed.

    Parameters:
        request: the client's handshake.
        session: leads to the port, and has `refusals`.
        url: the URL to request there.
        headers: the handshake's headers, without those about the client's connection.

    Raises:
        ApiError: the client's handshake is not valid (400), or the server does not answer it (504).
        RefusedError: the server refuses it.
        aiohttp.ClientError: the server cannot be reached, or its answer is not valid.
    """
    offered = [name.strip() for value in headers.getall(_SUBPROTOCOLS, []) for name in value.split(",")]
    if not _answer(offered).can_prepare(request).ok:
        raise ApiError(400, "this is no valid handshake of a WebSocket")
    try:
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            server = await session.ws_connect(
                url,
                method=request.method,
                protocols=offered,
                headers=_without_handshake(headers),
                autoclose=False,
                autoping=False,
                max_msg_size=MAX_MESSAGE_BYTES,
            )
    except TimeoutError as error:
        raise ApiError(504, "the sandbox does not answer the handshake of the WebSocket") from error
    client = _answer([] if server.protocol is None else [server.protocol])
    await client.prepare(request)
    if request.transport is not None:
        # Limiting bytes is not enough: thousands of the smallest frames would wait, and Pythons before 3.15 count
        # all waiting frames for each new one.
        request.transport.set_write_buffer_limits(high=0)
    try:
        async with asyncio.timeout(None) as patience, asyncio.TaskGroup() as directions:
            directions.create_task(_pass_on(client, server, patience))
            directions.create_task(_pass_on(server, client, patience))
    except* (ConnectionError, TimeoutError):
        pass  # a connection that ends without a close message shows by that what has happened
    if request.transport is not None:
        request.transport.close()
    return client


def _answer(subprotocols: list[str]) -> web.WebSocketResponse:
    return web.WebSocketResponse(
        protocols=subprotocols,
        autoclose=False,
        autoping=False,
        max_msg_size=MAX_MESSAGE_BYTES,
        compress=False,
        writer_limit=0,
    )


def _without_handshake(headers: CIMultiDict[str]) -> Mapping[str, str]:
    # Each of the two connections has its own handshake.
    kept = headers.copy()
    for name in set(kept):
        if name.lower().startswith("sec-websocket-"):
            kept.popall(name, None)
    return kept


async def _pass_on(source: Side, target: Side, patience: asyncio.Timeout) -> None:
    while True:
        await asyncio.sleep(0)  # lets others run: the next two calls do not wait while there are messages and takers
        message = await source.receive()
        match message.type:
            case WSMsgType.TEXT:
                await target.send_frame(message.data.encode(), WSMsgType.TEXT)
            case WSMsgType.BINARY | WSMsgType.PING | WSMsgType.PONG:
                await target.send_frame(message.data, message.type)
            case WSMsgType.CLOSE:
                closing = _close_payload(message.data, message.extra)
                break
            case WSMsgType.ERROR if isinstance(message.data, aiohttp.WebSocketError):
                # The source has been told; tell the target the same.
                closing = _close_payload(message.data.code)
                break
            case _:
                raise ConnectionResetError
    # A close message ends this direction. The answer to it comes in the other direction, and is not awaited forever.
    patience.reschedule(asyncio.get_running_loop().time() + _CLOSE_SECONDS)
    await target.send_frame(closing, WSMsgType.CLOSE)


def _close_payload(code: int, reason: str | None = None) -> bytes:
    # A close message need not have a code; the library then gives 0.
    return struct.pack("!H", code) + (reason or "").encode() if code else b""
