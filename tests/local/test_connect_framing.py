"""The Connect protocol's frames, read from chunks cut anywhere."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.local.api import connect
from pytest_rewardkit.local.api.connect import ConnectError, frame, read_messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Content:
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    async def iter_any(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


class Request:
    """The part of a request that reading frames uses."""

    content_type = "application/connect+json"

    def __init__(self, *chunks: bytes) -> None:
        self.content = Content(list(chunks))
        self.headers: dict[str, str] = {}


async def messages(request: Request, **options: int) -> list[connect.Message]:
    return [message async for message in read_messages(request, **options)]


def test_a_frame_has_flags_length_and_ascii_json() -> None:
    data = frame({"text": "é\u2028"}, flags=2)
    assert data[:5] == struct.pack("!BI", 2, len(data) - 5)
    assert data[5:].isascii()
    assert json.loads(data[5:]) == {"text": "é\u2028"}


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
async def test_messages_come_whole_however_the_chunks_are_cut(size: int) -> None:
    sent = [{"n": 1}, {"text": "x" * 50}, {}]
    data = b"".join(frame(message) for message in sent)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert await messages(Request(*chunks)) == sent


@pytest.mark.asyncio
async def test_the_end_frame_ends_the_messages() -> None:
    assert await messages(Request(frame({"n": 1}) + frame({}, 2) + frame({"n": 2}))) == [{"n": 1}]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (struct.pack("!BI", 1, 2) + b"{}", "unimplemented"),
        (struct.pack("!BI", 0, 101) + b"x" * 101, "resource_exhausted"),
        (struct.pack("!BI", 0, 4) + b"[1]]", "invalid_argument"),
        (struct.pack("!BI", 0, 3) + b"[1]", "invalid_argument"),
        (struct.pack("!BI", 0, 9) + b"{}", "invalid_argument"),
        (struct.pack("!BI", 0, 100) + b"[" * 100, "invalid_argument"),
    ],
    ids=["compressed", "too long", "no JSON", "no object", "cut off", "nested"],
)
async def test_what_is_no_message_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ConnectError) as error:
        await messages(Request(data), limit=100)
    assert error.value.code == code


@pytest.mark.parametrize(("value", "seconds"), [(None, None), ("1500", 1.5), ("0", 0.0)])
def test_a_deadline_is_read_from_its_header(value: str | None, seconds: float | None) -> None:
    request = Request()
    if value is not None:
        request.headers["Connect-Timeout-Ms"] = value
    assert connect.deadline_of(request) == seconds


@pytest.mark.parametrize("value", ["-1", "1.5", "soon", "1" * 11, "²"])
def test_a_deadline_that_is_no_number_is_refused(value: str) -> None:
    request = Request()
    request.headers["Connect-Timeout-Ms"] = value
    with pytest.raises(ConnectError, match="Connect-Timeout-Ms"):
        connect.deadline_of(request)
