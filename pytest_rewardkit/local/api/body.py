"""Reads request bodies, up to a limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.api.errors import ApiError
from pytest_rewardkit.local.errors import UnansweredError
from pytest_rewardkit.local.wire.bounds import BOUNDS, bounded

if TYPE_CHECKING:
    from aiohttp import web

MAX_JSON_BYTES = 32 * 2**20


async def read_body(request: web.BaseRequest, limit: int = MAX_JSON_BYTES) -> bytes:
    """The whole body.

    Raises:
        ApiError: it is longer than `limit` bytes (413), or does not arrive (408).
    """
    declared = request.content_length
    if declared is not None and declared > limit:
        raise ApiError(413, f"the body has {declared} bytes, more than the limit of {limit}")
    chunks = []
    size = 0
    try:
        async with bounded(BOUNDS.body, "the request's body was not there"):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > limit:
                    raise ApiError(413, f"the body has more than the limit of {limit} bytes")
                chunks.append(chunk)
    except UnansweredError as error:
        raise ApiError(408, str(error)) from None
    return b"".join(chunks)


async def read_object(request: web.BaseRequest) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object.

    Raises:
        ApiError: it is too long (413), does not arrive (408), or is not an object (400).
    """
    return parse_object(await read_body(request))


def parse_object(body: bytes) -> dict[str, Any]:
    """`body` as a JSON object; an empty body is an empty object.

    Raises:
        ApiError: it is not an object (400).
    """
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiError(400, f"the body must be a JSON object, not {type(value).__name__}")
    return value


def text_map(value: Any, name: str) -> dict[str, str]:
    """`value` as a mapping of strings to strings; None is an empty one.

    Raises:
        ApiError: it is not such a mapping (400); the message contains `name`.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ApiError(400, f"{name} must be an object with strings as values")
    return value
