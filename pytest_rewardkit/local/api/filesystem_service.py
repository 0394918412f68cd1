"""`filesystem.Filesystem`: what is where in a sandbox's files, and changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.api.connect import ConnectError, Message, answer_unary
from pytest_rewardkit.local.api.paths import BadPathError, resolve
from pytest_rewardkit.local.peer import GuestError, GuestGoneError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from pytest_rewardkit.local.agent import Agent
    from pytest_rewardkit.local.sandbox import Sandbox

MAX_DEPTH = 1000


class FilesystemService:
    """The RPCs of envd's filesystem service."""

    def __init__(self) -> None:
        self._methods: dict[str, Callable[[Agent, Message], Awaitable[Message]]] = {
            "Stat": _stat,
            "ListDir": _list,
            "MakeDir": _make,
            "Move": _move,
            "Remove": _remove,
        }

    async def handle(self, request: web.BaseRequest, sandbox: Sandbox, method: str) -> web.StreamResponse:
        """Answer a call of `method`."""

        async def call(message: Message) -> Message:
            serve = self._methods.get(method)
            if serve is None:
                raise ConnectError("unimplemented", f"the local server does not serve filesystem.{method}")
            try:
                return await serve(sandbox.agent, message)
            except GuestError as error:
                raise ConnectError(error.code, error.message) from error
            except BadPathError as error:
                raise ConnectError("invalid_argument", str(error)) from error
            except GuestGoneError as error:
                raise ConnectError("unavailable", str(error)) from error

        return await answer_unary(request, call)


async def _stat(agent: Agent, message: Message) -> Message:
    return {"entry": await agent.stat(_path(message, "path"))}


async def _list(agent: Agent, message: Message) -> Message:
    depth = message.get("depth", 1)
    if type(depth) is not int or not 0 <= depth < 2**32:
        raise ConnectError("invalid_argument", "depth must be a number of levels")
    return {"entries": await agent.list_directory(_path(message, "path"), min(max(depth, 1), MAX_DEPTH))}


async def _make(agent: Agent, message: Message) -> Message:
    return {"entry": await agent.make_directory(_path(message, "path"))}


async def _move(agent: Agent, message: Message) -> Message:
    return {"entry": await agent.move(_path(message, "source"), _path(message, "destination"))}


async def _remove(agent: Agent, message: Message) -> Message:
    await agent.remove(_path(message, "path"))
    return {}


def _path(message: dict[str, Any], name: str) -> str:
    path = message.get(name, "")
    if not isinstance(path, str):
        raise ConnectError("invalid_argument", f"{name} must be a text")
    return resolve(path)
