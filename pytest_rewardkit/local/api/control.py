"""The control plane: sandboxes are created, listed, found, given time, and ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from pytest_rewardkit.local.api.body import read_object, text_map
from pytest_rewardkit.local.api.errors import ApiError, NotServedError, json_response, not_found, unexpected
from pytest_rewardkit.local.api.signature import matches
from pytest_rewardkit.local.peer import GuestError, GuestGoneError
from pytest_rewardkit.local.sandbox import DEFAULT_TIMEOUT_SECONDS, Sandbox, SandboxRequest
from pytest_rewardkit.local.table import SandboxTable, TooManySandboxesError
from pytest_rewardkit.local.zygote import ZygoteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

TEMPLATES = ("base", "code-interpreter-v1")
ENVD_VERSION = "0.6.13"
"""The version of envd whose protocol the server speaks; the SDK turns features on by it."""

MAX_TIMEOUT_SECONDS = 30 * 24 * 3600
MAX_PAGE = 100


class ControlPlane:
    """Handlers of the control plane.

    Parameters:
        table: the sandboxes.
        api_key: what every request must carry.
        domain: the host and port by which ports of sandboxes are named.
    """

    def __init__(self, table: SandboxTable, api_key: str, domain: str) -> None:
        self._table = table
        self._api_key = api_key
        self._domain = domain
        self._created: dict[str, str] = {}

    def application(self) -> web.Application:
        """The routes. Older SDKs use the paths without a version."""
        app = web.Application(middlewares=[self._guard])
        router = app.router
        for prefix in ("/v2", ""):
            router.add_post(f"{prefix}/sandboxes", self.create)
            router.add_get(f"{prefix}/sandboxes", self.list)
            router.add_post(f"{prefix}/sandboxes/{{id}}/connect", self.connect)
        router.add_post("/sandboxes/{id}/resume", self.resume)
        router.add_get("/sandboxes/{id}", self.info)
        router.add_delete("/sandboxes/{id}", self.kill)
        router.add_post("/sandboxes/{id}/timeout", self.set_timeout)
        router.add_get("/health", self.health)
        router.add_route("*", "/{path:.*}", self.not_served)
        return app

    async def health(self, _: web.Request) -> web.Response:
        """`GET /health`: the server is there."""
        return json_response({"status": "ok"})

    async def not_served(self, request: web.Request) -> web.Response:
        """Whatever E2B has and the local server has not."""
        raise NotServedError(f"{request.method} {request.path}")

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v2/sandboxes`."""
        wanted = parse_create(await read_object(request))
        key = request.headers.get("Idempotency-Key")
        sandbox = self._table.get(self._created.get(key, "")) if key else None
        if sandbox is None:
            sandbox = await self._create(wanted)
            if key:
                alive = {old: name for old, name in self._created.items() if self._table.get(name)}
                self._created = {**alive, key: sandbox.id}
        return json_response(self._summary(sandbox), 201)

    async def list(self, request: web.Request) -> web.Response:
        """`GET /v2/sandboxes`: one page, newest first unless asked otherwise."""
        query = request.query
        sandboxes = [sandbox for sandbox in self._table.all() if _listed(sandbox, query)]
        newest_first = _choice(query, "order", ("desc", "asc")) == "desc"
        sandboxes.sort(key=lambda sandbox: sandbox.serial, reverse=newest_first)
        if token := query.get("nextToken"):
            last = _integer(token, "nextToken", 0, 0, 2**53)
            sandboxes = [
                sandbox for sandbox in sandboxes if (sandbox.serial < last if newest_first else sandbox.serial > last)
            ]
        limit = _integer(query.get("limit"), "limit", MAX_PAGE, 1, MAX_PAGE)
        page = sandboxes[:limit]
        headers = {"x-next-token": str(page[-1].serial)} if len(sandboxes) > limit else None
        return json_response([self._details(sandbox) for sandbox in page], headers=headers)

    async def connect(self, request: web.Request) -> web.Response:
        """`POST /v2/sandboxes/{id}/connect`: gives a running sandbox more time, never less."""
        sandbox = self._find(request)
        timeout = _timeout(await read_object(request))
        if datetime.now(UTC).timestamp() + timeout > sandbox.end_at.timestamp():
            self._table.expire_in(sandbox, timeout)
        return json_response(self._summary(sandbox))

    async def resume(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/resume`, of older SDKs."""
        raise ApiError(409, f"sandbox '{self._find(request).id}' is running already")

    async def info(self, request: web.Request) -> web.Response:
        """`GET /sandboxes/{id}`."""
        sandbox = self._find(request)
        details = self._details(sandbox)
        details["envdAccessToken"] = sandbox.token
        details["allowInternetAccess"] = sandbox.request.internet
        details["lifecycle"] = {"onTimeout": "kill", "autoResume": False}
        return json_response(details)

    async def kill(self, request: web.Request) -> web.Response:
        """`DELETE /sandboxes/{id}`."""
        self._table.kill(self._find(request))
        return web.Response(status=204)

    async def set_timeout(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/timeout`: counted from now; 0 ends the sandbox."""
        sandbox = self._find(request)
        self._table.expire_in(sandbox, _timeout(await read_object(request)))
        return web.Response(status=204)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            if request.path != "/health" and not matches(request.headers.get("X-API-Key", ""), self._api_key):
                raise ApiError(401, "unauthorized access, please provide the API key of this server")
            return await handler(request)
        except ApiError as error:
            return error.response()
        except Exception:
            return unexpected(request)

    def _find(self, request: web.Request) -> Sandbox:
        sandbox_id = request.match_info["id"]
        sandbox = self._table.get(sandbox_id)
        if sandbox is None:
            raise not_found(sandbox_id)
        return sandbox

    async def _create(self, wanted: SandboxRequest) -> Sandbox:
        creating = asyncio.ensure_future(self._table.create(wanted))
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            creating.add_done_callback(self._unwanted)
            raise
        except TooManySandboxesError as error:
            raise ApiError(429, str(error)) from error
        except (GuestError, GuestGoneError, ZygoteError) as error:
            raise ApiError(500, f"the sandbox could not be created: {error}") from error

    def _unwanted(self, creating: asyncio.Future[Sandbox]) -> None:
        if not creating.cancelled() and creating.exception() is None:
            self._table.expire_in(creating.result(), 0)

    def _summary(self, sandbox: Sandbox) -> dict[str, Any]:
        return {
            "templateID": sandbox.request.template,
            "sandboxID": sandbox.id,
            "clientID": "local",
            "envdVersion": ENVD_VERSION,
            "envdAccessToken": sandbox.token,
            "trafficAccessToken": None,
            "domain": self._domain,
        }

    def _details(self, sandbox: Sandbox) -> dict[str, Any]:
        settings = self._table.settings
        return {
            "templateID": sandbox.request.template,
            "alias": sandbox.request.template,
            "sandboxID": sandbox.id,
            "clientID": "local",
            "envdVersion": ENVD_VERSION,
            "domain": self._domain,
            "startedAt": _time(sandbox.started_at),
            "endAt": _time(sandbox.end_at),
            "cpuCount": 1,
            "memoryMB": settings.memory_mb,
            "diskSizeMB": settings.disk_mb,
            "state": "running",
            "metadata": dict(sandbox.request.metadata),
            "volumeMounts": [],
        }


def parse_create(body: Mapping[str, Any]) -> SandboxRequest:
    """A create call's body as a request.

    Raises:
        ApiError: it asks for what is not there (404, 501) or makes no sense (400).
    """
    template = body.get("templateID")
    if not isinstance(template, str) or not template:
        raise ApiError(400, "templateID must be a text")
    if template not in TEMPLATES:
        raise ApiError(404, f"template '{template}' not found; the local server has {' and '.join(TEMPLATES)}")
    for name, what in (("mcp", "the MCP gateway"), ("iam", "workload identity"), ("volumeMounts", "volumes")):
        if body.get(name):
            raise NotServedError(what)
    if body.get("autoPause"):
        raise NotServedError("pausing at the end of a sandbox's time")
    internet = body.get("allow_internet_access", False)
    if not isinstance(internet, bool):
        raise ApiError(400, "allow_internet_access must be true or false")
    return SandboxRequest(
        template=template,
        timeout=_timeout(body),
        metadata=text_map(body.get("metadata"), "metadata"),
        envs=text_map(body.get("envVars"), "envVars"),
        internet=_allows_network(body.get("network")) and internet,
    )


def _allows_network(network: Any) -> bool:
    if not network:
        return True
    if not isinstance(network, dict):
        raise ApiError(400, "network must be an object")
    for name in ("allowOut", "rules", "egressProxy"):
        if network.get(name):
            raise NotServedError(
                f"network rules ({name}); allow_internet_access turns the network on or off as a whole"
            )
    denied = network.get("denyOut") or []
    if denied and "0.0.0.0/0" not in denied:
        raise NotServedError("network rules (denyOut) other than 0.0.0.0/0")
    return not denied


def _timeout(body: Mapping[str, Any]) -> int:
    return _integer(body.get("timeout"), "timeout", DEFAULT_TIMEOUT_SECONDS, 0, MAX_TIMEOUT_SECONDS)


def _integer(value: Any, name: str, default: int, least: int, most: int) -> int:
    if value is None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise ApiError(400, f"{name} must be a whole number from {least} to {most}")
    return value


def _choice(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = query.get(name) or choices[0]
    if value not in choices:
        raise ApiError(400, f"{name} must be one of {', '.join(choices)}")
    return value


def _listed(sandbox: Sandbox, query: Mapping[str, str]) -> bool:
    states = [state for state in query.get("state", "").split(",") if state]
    for state in states:
        if state not in ("running", "paused"):
            raise ApiError(400, "state must be running or paused")
    metadata = sandbox.request.metadata
    # The SDK encodes each key and value, and then the whole once more.
    wanted = {
        unquote(key): unquote(value) for key, value in parse_qsl(query.get("metadata", ""), keep_blank_values=True)
    }
    template = query.get("template")
    after = query.get("startedAfter")
    return (
        (not states or "running" in states)
        and all(metadata.get(key) == value for key, value in wanted.items())
        and (not template or template == sandbox.request.template)
        and (not after or sandbox.started_at > _parse_time(after))
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(400, "startedAfter must be a time as RFC 3339 writes it") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
