"""The routes by which the SDK's `Template` builds templates and queries them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from pytest_rewardkit.local.api import create_request
from pytest_rewardkit.local.api.body import read_object
from pytest_rewardkit.local.api.errors import ApiError, json_response
from pytest_rewardkit.local.errors import BuildError
from pytest_rewardkit.local.templates.named_template import OF_THE_SERVER

if TYPE_CHECKING:
    from pytest_rewardkit.local.builds.build import Build
    from pytest_rewardkit.local.builds.builds import Builds

MAX_MEMORY_MB = 2**20
MAX_LOG = 2**20


class TemplateBuilds:
    """Handlers of builds.

    Parameters:
        builds: all builds of the server.
    """

    def __init__(self, builds: Builds) -> None:
        self._builds = builds

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_post("/v3/templates", self.begin)
        router.add_get("/templates/{template}/files/{digest}", self.place_of_files)
        router.add_put("/templates/{template}/files/{digest}", self.take_files)
        router.add_post("/v2/templates/{template}/builds/{build}", self.start)
        router.add_get("/templates/{template}/builds/{build}/status", self.status)
        router.add_get("/templates/aliases/{alias}", self.exists)

    async def begin(self, request: web.Request) -> web.Response:
        """`POST /v3/templates`."""
        body = await read_object(request)
        name, tags = body.get("name") or body.get("alias"), body.get("tags") or []
        if not isinstance(name, str) or not name or not isinstance(tags, list):
            raise ApiError(400, "name must be a text, and tags an array")
        memory = body.get("memoryMB")
        if memory is not None:
            memory = create_request.integer(memory, "memoryMB", 0, 16, MAX_MEMORY_MB)
        try:
            build = self._builds.begin(name, [str(tag) for tag in tags], memory)
        except BuildError as error:
            raise ApiError(400, str(error)) from None
        named = {"names": list(build.names), "tags": list(build.tags), "aliases": list(build.names)}
        return json_response({"templateID": build.template, "buildID": build.id, "public": False, **named}, 202)

    async def place_of_files(self, request: web.Request) -> web.Response:
        """`GET /templates/{id}/files/{digest}`: whether packed files exist, and where to upload them."""
        digest = request.match_info["digest"]
        key = {"X-API-Key": request.headers.get("X-API-Key", "")}
        place = {"present": digest in self._builds.archives, "url": str(request.url), "headers": key}
        return json_response(place, 201)

    async def take_files(self, request: web.Request) -> web.Response:
        """`PUT /templates/{id}/files/{digest}`: uploads the packed files."""
        try:
            await self._builds.archives.add(request.match_info["digest"], request.content.iter_any())
        except BuildError as error:
            raise ApiError(413, str(error)) from None
        return web.Response(status=200)

    async def start(self, request: web.Request) -> web.Response:
        """`POST /v2/templates/{id}/builds/{build}`: the steps to build; the build runs on its own from here."""
        build = self._find(request)
        if build.status != "waiting":
            raise ApiError(409, "the build has been started already")
        self._builds.start(build, await read_object(request))
        return web.Response(status=202)

    async def status(self, request: web.Request) -> web.Response:
        """`GET /templates/{id}/builds/{build}/status`."""
        offset = create_request.integer(request.query.get("logsOffset"), "logsOffset", 0, 0, MAX_LOG)
        return json_response(self._find(request).describe(offset))

    async def exists(self, request: web.Request) -> web.Response:
        """`GET /templates/aliases/{alias}`."""
        alias = request.match_info["alias"]
        if not self._builds.knows(alias):
            raise ApiError(404, f"template {alias!r} not found")
        return json_response({"templateID": alias, "public": alias in OF_THE_SERVER})

    def _find(self, request: web.Request) -> Build:
        build = self._builds.of_id(request.match_info["build"])
        if build is None:
            raise ApiError(404, f"build '{request.match_info['build']}' not found")
        return build
