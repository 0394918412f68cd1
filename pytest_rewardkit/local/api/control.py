"""The control plane: sandboxes are created, listed, found, extended, paused, copied, and ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from pytest_rewardkit.local.api import create_request, listing
from pytest_rewardkit.local.api.body import read_object
from pytest_rewardkit.local.api.descriptions import of_new_sandbox, of_sandbox, of_snapshot, of_usage, with_its_rules
from pytest_rewardkit.local.api.errors import (
    ApiError,
    NotServedError,
    control_error,
    json_response,
    not_found,
    unexpected,
)
from pytest_rewardkit.local.api.signature import matches
from pytest_rewardkit.local.api.template_builds import TemplateBuilds
from pytest_rewardkit.local.builds.builds import Builds
from pytest_rewardkit.local.counted_share import waits_here
from pytest_rewardkit.local.endings import HEADER
from pytest_rewardkit.local.errors import GuestError, LocalError, SandboxFailedError, TooManySandboxesError
from pytest_rewardkit.local.limits import LIMITS_HEADER
from pytest_rewardkit.local.server.snapshots import Snapshot, Snapshots
from pytest_rewardkit.local.server.supplies import unknown
from pytest_rewardkit.local.templates.named_template import OF_THE_SERVER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from pytest_rewardkit.local.server.sandbox import Sandbox, SandboxRequest
    from pytest_rewardkit.local.server.table import SandboxTable

MAX_FORKS = 20
MAX_TIME = 2**40
METRICS_SECONDS = 5
"""How often E2B measures; a query for a time less than this long ago gets the present measurement."""


class ControlPlane:
    """Handlers of the control plane.

    Parameters:
        table: the sandboxes.
        api_key: the key that every request must carry.
        domain: the host and port in the names of sandboxes' ports.
    """

    def __init__(self, table: SandboxTable, api_key: str, domain: str) -> None:
        self._table = table
        self._snapshots = Snapshots()
        self._builds = Builds(table, self._snapshots)
        self._api_key = api_key
        self._domain = domain
        self._created: dict[str, str] = {}

    def application(self, *outermost: Middleware) -> web.Application:
        """The routes. Older SDKs use the paths without a version.

        Parameters:
            outermost: middlewares that see every request first.
        """
        app = web.Application(middlewares=[*outermost, self._guard])
        router = app.router
        for prefix in ("/v2", ""):
            router.add_post(f"{prefix}/sandboxes", self.create)
            router.add_get(f"{prefix}/sandboxes", self.list)
            router.add_post(f"{prefix}/sandboxes/{{id}}/connect", self.connect)
        router.add_post("/sandboxes/{id}/resume", self.resume)
        router.add_get("/sandboxes/{id}", self.info)
        router.add_delete("/sandboxes/{id}", self.kill)
        router.add_post("/sandboxes/{id}/timeout", self.set_timeout)
        router.add_post("/sandboxes/{id}/pause", self.pause)
        router.add_put("/sandboxes/{id}/network", self.update_network)
        router.add_get("/sandboxes/{id}/metrics", self.metrics)
        router.add_get("/sandboxes/{id}/threads", self.threads)
        router.add_post("/sandboxes/{id}/fork", self.fork)
        router.add_post("/sandboxes/{id}/snapshots", self.create_snapshot)
        router.add_get("/snapshots", self.list_snapshots)
        router.add_get("/templates/{name}/news", self.template_news)
        TemplateBuilds(self._builds).add_to(router)
        router.add_delete("/templates/tags", self.not_served)  # not the id of a snapshot
        router.add_delete("/templates/{snapshot}", self.delete_snapshot)
        router.add_get("/health", self.health)
        router.add_route("*", "/{path:.*}", self.not_served)
        return app

    async def health(self, _: web.Request) -> web.Response:
        """`GET /health`: the server is running."""
        return json_response({"status": "ok"})

    async def not_served(self, request: web.Request) -> web.Response:
        """Any call that E2B serves and the local server does not."""
        raise NotServedError(f"{request.method} {request.path}")

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v2/sandboxes`."""
        wanted = create_request.parse(await read_object(request), request.headers.get(LIMITS_HEADER, ""))
        key = request.headers.get("Idempotency-Key")
        sandbox = self._table.get(self._created.get(key, "")) if key else None
        if sandbox is None:
            sandbox = await self._unless_cancelled(self._create(wanted))
            if key:
                alive = {old: name for old, name in self._created.items() if self._table.get(name)}
                self._created = {**alive, key: sandbox.id}
        return json_response(of_new_sandbox(sandbox, self._domain), 201)

    async def list(self, request: web.Request) -> web.Response:
        """`GET /v2/sandboxes`: one page."""
        page, headers = listing.page(listing.matching(self._table.all(), request.query), request.query)
        return json_response([of_sandbox(sandbox, self._domain) for sandbox in page], headers=headers)

    async def connect(self, request: web.Request) -> web.Response:
        """`POST /v2/sandboxes/{id}/connect`: resumes a paused sandbox; gives a running one more time, never less."""
        sandbox = self._find(request)
        timeout = create_request.timeout(await read_object(request))
        if sandbox.state == "paused":
            await self._table.resume(sandbox, timeout)
            return json_response(of_new_sandbox(sandbox, self._domain), 201)
        if datetime.now(UTC) + timedelta(seconds=timeout) > sandbox.end_at:
            self._table.expire_in(sandbox, timeout)
        return json_response(of_new_sandbox(sandbox, self._domain))

    async def resume(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/resume`, of older SDKs."""
        sandbox = self._find(request)
        if sandbox.state == "running":
            raise ApiError(409, f"sandbox '{sandbox.id}' is running already")
        await self._table.resume(sandbox, create_request.timeout(await read_object(request)))
        return json_response(of_new_sandbox(sandbox, self._domain), 201)

    async def info(self, request: web.Request) -> web.Response:
        """`GET /sandboxes/{id}`; for a sandbox that is gone, a code says how it has ended."""
        sandbox_id = request.match_info["id"]
        sandbox = self._table.get(sandbox_id)
        if sandbox is None:
            if HEADER in request.headers and (ending := await self._table.ending(sandbox_id)):
                raise ApiError(410, ending)
            raise not_found(sandbox_id)
        return json_response(with_its_rules(sandbox, self._domain))

    async def kill(self, request: web.Request) -> web.Response:
        """`DELETE /sandboxes/{id}`."""
        self._table.kill(self._find(request))
        return web.Response(status=204)

    async def set_timeout(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/timeout`: counts from now; 0 ends the sandbox."""
        sandbox = self._find(request)
        self._table.expire_in(sandbox, create_request.timeout(await read_object(request)))
        return web.Response(status=204)

    async def pause(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/pause`: its processes stop where they are, or end with `"memory": false`."""
        sandbox = self._find(request)
        keep_memory = (await read_object(request)).get("memory", True) is not False
        if sandbox.state == "paused":
            raise ApiError(409, f"sandbox '{sandbox.id}' is paused already")
        await self._table.pause(sandbox, keep_memory=keep_memory)
        return web.Response(status=204)

    async def update_network(self, request: web.Request) -> web.Response:
        """`PUT /sandboxes/{id}/network`: replaces all rules."""
        sandbox = self._find(request)
        internet, rules = create_request.network_update(await read_object(request), internet=sandbox.request.internet)
        await asyncio.shield(sandbox.guest.background(self._table.connect(sandbox, internet=internet, rules=rules)))
        return web.Response(status=204)

    async def metrics(self, request: web.Request) -> web.Response:
        """`GET /sandboxes/{id}/metrics`: one present measurement, if the requested time includes the present."""
        sandbox = self._find(request)
        now = int(time.time())
        start = create_request.integer(request.query.get("start"), "start", 0, 0, MAX_TIME)
        end = create_request.integer(request.query.get("end"), "end", now, 0, MAX_TIME)
        if start > now or end < now - METRICS_SECONDS:
            return json_response([])
        return json_response([of_usage(sandbox.meter.measure())])

    async def threads(self, request: web.Request) -> web.Response:
        """`GET /sandboxes/{id}/threads`, which E2B lacks: how long each has run and has waited for a processor.

        The server's own waits are added.
        """
        return json_response(self._find(request).meter.threads() | waits_here("server"))

    async def fork(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/fork`: new sandboxes with copies of the files; processes are not copied."""
        sandbox = self._find_running(request)
        body = await read_object(request)
        count = create_request.integer(body.get("count"), "count", 1, 1, MAX_FORKS)
        timeout = create_request.timeout(body)
        snapshot = await self._snapshots.take(sandbox, None)
        try:
            return json_response([await self._fork(sandbox, snapshot, timeout) for _ in range(count)], 201)
        finally:
            self._snapshots.delete(snapshot.id)

    async def create_snapshot(self, request: web.Request) -> web.Response:
        """`POST /sandboxes/{id}/snapshots`: keeps a copy of the files."""
        sandbox = self._find_running(request)
        name = (await read_object(request)).get("name")
        if name is not None and not isinstance(name, str):
            raise ApiError(400, "name must be a text")
        return json_response(of_snapshot(await self._snapshots.take(sandbox, name)), 201)

    async def list_snapshots(self, request: web.Request) -> web.Response:
        """`GET /snapshots`: one page."""
        query = request.query
        found = self._snapshots.find(source=query.get("sandboxID"), name=query.get("name"))
        page, headers = listing.page(found, query)
        return json_response([of_snapshot(snapshot) for snapshot in page], headers=headers)

    async def delete_snapshot(self, request: web.Request) -> web.Response:
        """`DELETE /templates/{id}`, only for snapshots."""
        name = unquote(request.match_info["snapshot"])
        if not self._snapshots.delete(name):
            raise ApiError(404, f"snapshot '{name}' not found")
        return web.Response(status=204)

    async def template_news(self, request: web.Request) -> web.Response:
        """`GET /templates/{name}/news`, which E2B lacks: whether a template is ready; starts making it if not."""
        name = unquote(request.match_info["name"])
        if name in OF_THE_SERVER or self._snapshots.get(name) is not None or self._builds.template(name) is not None:
            return json_response({"lines": [], "ready": True})
        return json_response(await self._table.supplies.news(name))

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await self._answer(request, handler)
        except ConnectionResetError:
            raise  # the client has gone
        except Exception:
            return unexpected(request)

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            if request.path != "/health" and not matches(request.headers.get("X-API-Key", ""), self._api_key):
                raise ApiError(401, "unauthorized access, please provide the API key of this server")
            return await handler(request)
        except LocalError as error:
            return control_error(error).response()

    def _find(self, request: web.Request) -> Sandbox:
        sandbox_id = request.match_info["id"]
        sandbox = self._table.get(sandbox_id)
        if sandbox is None:
            raise not_found(sandbox_id)
        return sandbox

    def _find_running(self, request: web.Request) -> Sandbox:
        sandbox = self._find(request)
        if sandbox.state != "running":
            raise ApiError(409, f"sandbox '{sandbox.id}' is paused")
        return sandbox

    async def _create(self, wanted: SandboxRequest) -> Sandbox:
        snapshot = self._snapshots.get(wanted.template)
        if (built := self._builds.template(wanted.template)) is not None:
            wanted = replace(wanted, envs={**built.envs, **wanted.envs})
            snapshot = built.files
        elif snapshot is None and not wanted.mcp:
            self._check_template(wanted.template)
        sandbox = await self._table.create(wanted)
        if snapshot is not None:
            try:
                await self._snapshots.restore(snapshot, sandbox)
            except BaseException:
                self._table.kill(sandbox)
                raise
        return sandbox

    def _check_template(self, name: str) -> None:
        supplies = self._table.supplies
        # The third template needs fields that only the SDK sends with it.
        if name not in OF_THE_SERVER[:2] and name not in supplies:
            raise unknown(name, supplies.names)

    async def _unless_cancelled(self, creation: Awaitable[Sandbox]) -> Sandbox:
        creating = asyncio.ensure_future(creation)
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            creating.add_done_callback(self._unwanted)
            raise

    def _unwanted(self, creating: asyncio.Future[Sandbox]) -> None:
        if not creating.cancelled() and creating.exception() is None:
            self._table.kill(creating.result())

    async def _fork(self, sandbox: Sandbox, snapshot: Snapshot, timeout: int) -> dict[str, Any]:
        try:
            wanted = sandbox.request.copied(template=snapshot.id, timeout=timeout)
            return {"sandbox": of_new_sandbox(await self._unless_cancelled(self._create(wanted)), self._domain)}
        except (TooManySandboxesError, GuestError, SandboxFailedError) as error:
            return {"error": {"code": control_error(error).status, "message": str(error)}}
