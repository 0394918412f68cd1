"""WebSocket messages that have all arrived do not block anything else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from pytest_rewardkit.local.api.websockets import _pass_on

MESSAGES = 10


class Flood:
    """A side whose messages are always ready; it ends without a word."""

    def __init__(self) -> None:
        self._left = MESSAGES

    async def receive(self) -> WSMessage:
        self._left -= 1
        kind = WSMsgType.BINARY if self._left >= 0 else WSMsgType.CLOSED
        return WSMessage(kind, b"", None)


class Reader:
    """A side that accepts everything at once."""

    def __init__(self, events: list[str]) -> None:
        self._events = events

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None:
        self._events.append("message")


async def passed_on(source: Any, target: Any) -> None:
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(None) as patience:
            await _pass_on(source, target, patience)


def test_each_message_leaves_a_turn_to_others() -> None:
    events: list[str] = []

    async def others() -> None:
        while True:
            events.append("turn")
            await asyncio.sleep(0)

    async def main() -> None:
        beside = asyncio.create_task(others())
        await passed_on(Flood(), Reader(events))
        beside.cancel()

    asyncio.run(main())
    assert events.count("message") == MESSAGES
    assert "message, message" not in ", ".join(events)
