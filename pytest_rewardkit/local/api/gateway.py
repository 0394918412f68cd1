"""The gateway: leads traffic to the sandbox and the port that a request names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_rewardkit.local.api import files, interpreter, ports
from pytest_rewardkit.local.api.envd import Envd
from pytest_rewardkit.local.api.errors import ApiError, not_running, unexpected
from pytest_rewardkit.local.server.sandbox import DEFAULT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from aiohttp import web

    from pytest_rewardkit.local.server.sandbox import Sandbox
    from pytest_rewardkit.local.server.table import SandboxTable

ENVD_PORT = 49983
INTERPRETER_PORT = 49999

_NAMED_HOST = re.compile(r"(\d{1,5})-([a-z0-9]+)\.", re.IGNORECASE)


class Gateway:
    """Answers every request for a sandbox.

    Parameters:
        table: the sandboxes.
    """

    def __init__(self, table: SandboxTable) -> None:
        self._table = table
        self._envd = Envd()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request from the listener."""
        _invite_body(request)
        return await self.answer(request)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request whose client knows that it may send the body."""
        try:
            target = destination(request)
            if target is None:
                # URLs from `download_url` name no sandbox; only their signature tells it.
                sandbox, port = files.signed_sandbox(request, self._table.all()), ENVD_PORT
            else:
                sandbox, port = await self._find(target[0]), target[1]
            return await self._serve(request, sandbox, port)
        except ApiError as error:
            return error.response()
        except ConnectionResetError:
            raise  # the client has gone
        except Exception:
            return unexpected(request)

    async def _find(self, sandbox_id: str) -> Sandbox:
        sandbox = self._table.get(sandbox_id)
        if sandbox is not None and sandbox.state == "paused" and sandbox.request.auto_resume:
            await self._table.resume(sandbox, DEFAULT_TIMEOUT_SECONDS)
        if sandbox is None or sandbox.state != "running":
            raise not_running(sandbox_id)
        return sandbox

    async def _serve(self, request: web.BaseRequest, sandbox: Sandbox, port: int) -> web.StreamResponse:
        transport = request.transport
        if transport is not None:
            sandbox.connected(transport)
        try:
            if port == ENVD_PORT:
                return await self._envd.handle(request, sandbox)
            if port == INTERPRETER_PORT:
                return await interpreter.answer(request, sandbox)
            return await ports.forward(request, sandbox, port)
        finally:
            if transport is not None:
                sandbox.disconnected(transport)


def _invite_body(request: web.BaseRequest) -> None:
    # curl asks before it sends a large body, and waits for a second if it gets no reply.
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        # This bypasses the answer's own writer, which would begin the answer.
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def destination(request: web.BaseRequest) -> tuple[str, int] | None:
    """The sandbox and the port that a request names, in its host or in its headers.

    Raises:
        ApiError: the port is not valid (400).
    """
    if named := _NAMED_HOST.match(request.host):
        return named[2].lower(), _port(named[1])
    sandbox_id = request.headers.get("E2b-Sandbox-Id")
    if sandbox_id is None:
        return None
    return sandbox_id, _port(request.headers.get("E2b-Sandbox-Port", str(ENVD_PORT)))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) < 65536:
        raise ApiError(400, "the port must be a number from 1 to 65535")
    return int(text)
