"""`filesystem.Filesystem`: lists, queries and changes a sandbox's files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.api.connect import (
    Message,
    answer_stream,
    answer_unary,
    deadline_of,
    keepalive_of,
    read_one,
)
from pytest_rewardkit.local.api.errors import ConnectError
from pytest_rewardkit.local.api.paths import resolve
from pytest_rewardkit.local.errors import Code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from aiohttp import web

    from pytest_rewardkit.local.server.guest_proxy import GuestProxy
    from pytest_rewardkit.local.server.sandbox import Sandbox
    from pytest_rewardkit.local.server.watch import Watch

MAX_DEPTH = 1000


class FilesystemService:
    """The RPCs of envd's filesystem service."""

    def __init__(self) -> None:
        self._methods: dict[str, Callable[[GuestProxy, Message], Awaitable[Message]]] = {
            "Stat": _stat,
            "ListDir": _list,
            "MakeDir": _make,
            "Move": _move,
            "Remove": _remove,
            "CreateWatcher": _create_watcher,
            "GetWatcherEvents": _get_watcher_events,
            "RemoveWatcher": _remove_watcher,
        }

    async def handle(self, request: web.BaseRequest, sandbox: Sandbox, method: str) -> web.StreamResponse:
        """Answer a call of `method`."""
        if method == "WatchDir":
            return await answer_stream(request, _watch_directory(request, sandbox.guest))

        async def call(message: Message) -> Message:
            serve = self._methods.get(method)
            if serve is None:
                raise ConnectError(Code.UNIMPLEMENTED, f"the local server does not serve filesystem.{method}")
            return await serve(sandbox.guest, message)

        return await answer_unary(request, call)


async def _stat(guest: GuestProxy, message: Message) -> Message:
    return {"entry": await guest.files.stat(_path(message, "path"))}


async def _list(guest: GuestProxy, message: Message) -> Message:
    depth = message.get("depth", 1)
    if type(depth) is not int or not 0 <= depth < 2**32:
        raise ConnectError(Code.INVALID_ARGUMENT, "depth must be a number of levels")
    return {"entries": await guest.files.list_directory(_path(message, "path"), min(max(depth, 1), MAX_DEPTH))}


async def _make(guest: GuestProxy, message: Message) -> Message:
    return {"entry": await guest.files.make_directory(_path(message, "path"))}


async def _move(guest: GuestProxy, message: Message) -> Message:
    return {"entry": await guest.files.move(_path(message, "source"), _path(message, "destination"))}


async def _remove(guest: GuestProxy, message: Message) -> Message:
    await guest.files.remove(_path(message, "path"))
    return {}


async def _create_watcher(guest: GuestProxy, message: Message) -> Message:
    return {"watcherId": str((await _watch(guest, message)).number)}


async def _get_watcher_events(guest: GuestProxy, message: Message) -> Message:
    return {"events": await guest.watches.drain(_watcher(guest, message))}


async def _remove_watcher(guest: GuestProxy, message: Message) -> Message:
    await guest.watches.remove(_watcher(guest, message))
    return {}


async def _watch_directory(request: web.BaseRequest, guest: GuestProxy) -> AsyncIterator[Iterable[Message]]:
    keepalive = keepalive_of(request)
    deadline = deadline_of(request)
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline if deadline is not None else None
    watch = await _watch(guest, await read_one(request))
    try:
        yield [{"start": {}}]
        while (left := end - loop.time() if end is not None else keepalive) > 0:
            if changes := await watch.take(min(left, keepalive)):
                yield [{"filesystem": change} for change in changes]
            elif left >= keepalive:
                yield [{"keepalive": {}}]
        raise ConnectError(Code.DEADLINE_EXCEEDED, "the watch took longer than its timeout")
    finally:
        guest.background(guest.watches.remove(watch))


async def _watch(guest: GuestProxy, message: Message) -> Watch:
    flags = [message.get(name, False) for name in ("recursive", "includeEntry")]
    if not all(isinstance(flag, bool) for flag in flags):
        raise ConnectError(Code.INVALID_ARGUMENT, "recursive and includeEntry must be true or false")
    recursive, entries = flags
    return await guest.watches.add(_path(message, "path"), recursive=recursive, entries=entries)


def _watcher(guest: GuestProxy, message: Message) -> Watch:
    number = message.get("watcherId", "")
    watch = guest.watches.get(int(number)) if isinstance(number, str) and number.isdecimal() else None
    if watch is None:
        raise ConnectError(Code.NOT_FOUND, f"watcher with id {number} not found")
    return watch


def _path(message: dict[str, Any], name: str) -> str:
    path = message.get(name, "")
    if not isinstance(path, str):
        raise ConnectError(Code.INVALID_ARGUMENT, f"{name} must be a text")
    return resolve(path)
