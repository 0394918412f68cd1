"""envd: the service in a sandbox that manages its files and processes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from pytest_rewardkit.local.api import files
from pytest_rewardkit.local.api.errors import ApiError, NotServedError, json_response
from pytest_rewardkit.local.api.filesystem_service import FilesystemService
from pytest_rewardkit.local.api.process_service import ProcessService
from pytest_rewardkit.local.api.signature import matches

if TYPE_CHECKING:
    from pytest_rewardkit.local.server.meter import Usage
    from pytest_rewardkit.local.server.sandbox import Sandbox

USER = "user"


class _Service(Protocol):
    async def handle(self, request: web.BaseRequest, sandbox: Sandbox, method: str) -> web.StreamResponse: ...


class Envd:
    """Routes envd's paths."""

    def __init__(self) -> None:
        self._services: dict[str, _Service] = {
            "process.Process": ProcessService(),
            "filesystem.Filesystem": FilesystemService(),
        }

    async def handle(self, request: web.BaseRequest, sandbox: Sandbox) -> web.StreamResponse:
        """Answer one request.

        Raises:
            ApiError: the answer is this error.
        """
        route = (request.method, request.path)
        if route == ("GET", "/health"):
            return web.Response(status=204)
        if request.path == "/files" and request.method in ("GET", "HEAD", "POST"):
            return await files.answer(request, sandbox)
        require_token(request, sandbox)
        if route == ("GET", "/envs"):
            return json_response(dict(sandbox.request.envs))
        if route == ("GET", "/metrics"):
            return json_response(_metrics(sandbox.meter.measure()))
        service, _, method = request.path.removeprefix("/").partition("/")
        if request.method == "POST" and service in self._services:
            user = _basic_user(request)
            # The SDK starts an MCP gateway as root. There is none here, but the sandbox has to say so.
            if not (sandbox.request.mcp and user == "root"):
                require_user(user)
            return await self._services[service].handle(request, sandbox, method)
        raise NotServedError(f"envd's {request.method} {request.path}")


def _metrics(usage: Usage) -> dict[str, float]:
    return {
        "ts": int(usage.at.timestamp()),
        "cpu_count": usage.cpu_count,
        "cpu_used_pct": usage.cpu_percent,
        "mem_total": usage.memory_total,
        "mem_used": usage.memory_used,
        "mem_total_mib": usage.memory_total // 2**20,
        "mem_used_mib": usage.memory_used // 2**20,
        "mem_cache": 0,
        "disk_used": usage.disk_used,
        "disk_total": usage.disk_total,
    }


def require_token(request: web.BaseRequest, sandbox: Sandbox) -> None:
    """Admits requests with the sandbox's token.

    Raises:
        ApiError: the token is missing or wrong (401).
    """
    if not matches(request.headers.get("X-Access-Token", ""), sandbox.token):
        raise ApiError(401, "unauthorized access, please provide a valid access token or method signing if supported")


def require_user(name: str) -> None:
    """Refuses users who do not exist in a sandbox.

    Raises:
        ApiError: it is not `user` (401).
    """
    if name not in ("", USER):
        raise ApiError(401, f"unknown user '{name}': a local sandbox has one user, '{USER}', and no root")


def _basic_user(request: web.BaseRequest) -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(401, "the Authorization header is no basic authorization") from error
