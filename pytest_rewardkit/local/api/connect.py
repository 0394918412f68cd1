"""The Connect protocol in its JSON form: unary calls, and streams of framed messages.

https://connectrpc.com/docs/protocol describes it. A frame is one byte of flags, four bytes of big-endian length, and a
JSON message; the last frame of an answer has `END_STREAM` and carries the error, if any.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from aiohttp import web

from pytest_rewardkit.local.api import body
from pytest_rewardkit.local.api.errors import ApiError, ConnectError, connect_error, json_response
from pytest_rewardkit.local.errors import Code, LocalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

END_STREAM = 0x02
COMPRESSED = 0x01

KEEPALIVE_SECONDS = 90.0

_HEADER = struct.Struct("!BI")

Message = dict[str, Any]


def frame(message: Message, flags: int = 0) -> bytes:
    """One message with its header."""
    data = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return _HEADER.pack(flags, len(data)) + data


async def answer_unary(request: web.BaseRequest, call: Callable[[Message], Awaitable[Message]]) -> web.Response:
    """Answers a unary call with the result of `call` for its message."""
    _require_type(request, "application/json")
    try:
        return json_response(await call(await body.read_object(request)))
    except LocalError as error:
        refusal = connect_error(error)
        return json_response(refusal.body(), refusal.status)


async def read_messages(request: web.BaseRequest, limit: int = body.MAX_JSON_BYTES) -> AsyncIterator[Message]:
    """The messages of a streaming request, as they arrive.

    Raises:
        ConnectError: a message is compressed, longer than `limit` bytes, not a JSON object, or cut off.
    """
    _require_type(request, "application/connect+json")
    buffer = bytearray()
    async for chunk in request.content.iter_any():
        buffer += chunk
        while len(buffer) >= _HEADER.size:
            flags, length = _HEADER.unpack_from(buffer)
            if flags & COMPRESSED:
                raise ConnectError(Code.UNIMPLEMENTED, "compressed messages are not supported")
            if length > limit:
                raise ConnectError(Code.RESOURCE_EXHAUSTED, f"a message of {length} bytes is over the limit of {limit}")
            end = _HEADER.size + length
            if len(buffer) < end:
                break
            data = bytes(buffer[_HEADER.size : end])
            del buffer[:end]
            if flags & END_STREAM:
                return
            yield _parse(data)
    if buffer:
        raise ConnectError(Code.INVALID_ARGUMENT, "the stream ended inside a message")


async def read_one(request: web.BaseRequest) -> Message:
    """The only message of a request whose answer is a stream.

    Raises:
        ConnectError: there is no message.
    """
    async for message in read_messages(request):
        return message
    raise ConnectError(Code.INVALID_ARGUMENT, "the request has no message")


async def answer_stream(request: web.BaseRequest, batches: AsyncIterator[Iterable[Message]]) -> web.StreamResponse:
    """Answers with the messages of `batches`, each batch in one write, and closes `batches` in any case."""
    response = web.StreamResponse()
    response.content_type = "application/connect+json"
    end: Message = {}
    try:
        async for batch in batches:
            # Not earlier: over HTTP/1.1 a client that still sends does not expect an answer.
            if not response.prepared:
                await response.prepare(request)
            await response.write(b"".join(frame(message) for message in batch))
    except LocalError as error:
        end = {"error": connect_error(error).body()}
    finally:
        close = getattr(batches, "aclose", None)
        if close is not None:
            await close()
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof(frame(end, END_STREAM))
    return response


def deadline_of(request: web.BaseRequest) -> float | None:
    """The seconds that the caller allows for the call, from `Connect-Timeout-Ms`; None for no limit.

    Raises:
        ConnectError: the header is not a number.
    """
    value = request.headers.get("Connect-Timeout-Ms")
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 10:
        raise ConnectError(Code.INVALID_ARGUMENT, "Connect-Timeout-Ms must be a number of at most 10 digits")
    return int(value) / 1000


def keepalive_of(request: web.BaseRequest) -> float:
    """The seconds of silence after which the caller wants a sign that the stream is alive."""
    value = request.headers.get("Keepalive-Ping-Interval", "")
    return float(value) if value.isascii() and value.isdigit() and int(value[:9]) > 0 else KEEPALIVE_SECONDS


def _parse(data: bytes) -> Message:
    try:
        return body.parse_object(data)
    except ApiError as error:
        raise ConnectError(Code.INVALID_ARGUMENT, error.message) from error


def _require_type(request: web.BaseRequest, content_type: str) -> None:
    if request.content_type != content_type:
        raise ApiError(415, f"the content type must be {content_type}")
