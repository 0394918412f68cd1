"""All builds of a server. Their results end with the server."""

from __future__ import annotations

import asyncio
import os
import posixpath
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.builds.archives import Archives
from pytest_rewardkit.local.builds.build import Build
from pytest_rewardkit.local.builds.recipe import BASE_STEP, HOME, TEMPORARY, Recipe, recipe_of
from pytest_rewardkit.local.errors import BuildError, LocalError, StepError, TemplateError
from pytest_rewardkit.local.server.sandbox import SandboxRequest, new_id
from pytest_rewardkit.local.templates.named_template import OF_THE_SERVER, template_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pytest_rewardkit.local.builds.recipe import Copy
    from pytest_rewardkit.local.server.sandbox import Sandbox
    from pytest_rewardkit.local.server.snapshots import Snapshots
    from pytest_rewardkit.local.server.table import SandboxTable

MAX_BUILDS: Final = 50
"""Each build that is in use has a fork server."""

_COPY: Final = """
set -e
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
tar {unpack} -f - -C "$stage" --no-same-owner
cd "$stage"
if [ -d {source} ]; then
    mkdir -p {target}
    cp -a -- {source}/. {target}
    placed={target}
else
    mkdir -p {folder}
    cp -a -- {source} {file}
    placed={file}
fi
[ -z {mode} ] || chmod -R {mode} "$placed"
"""


class Builds:
    """Makes templates, and finds them.

    Parameters:
        table: the sandboxes.
        snapshots: packs the sandboxes' files.
    """

    def __init__(self, table: SandboxTable, snapshots: Snapshots) -> None:
        self.archives = Archives()
        self._table = table
        self._snapshots = snapshots
        self._builds: dict[str, Build] = {}
        self._templates: dict[str, Build] = {}

    def begin(self, name: str, tags: list[str], memory_mb: int | None) -> Build:
        """Return a build that waits for its description.

        Raises:
            BuildError: there are too many, or another template has the name.
        """
        if len(self._builds) >= MAX_BUILDS:
            raise BuildError(f"this server has made {MAX_BUILDS} builds, which is the limit")
        name, _, tag = name.partition(":")
        if name in OF_THE_SERVER or name in self._table.supplies.names:
            raise BuildError(f"{name!r} is the name of another template; build it with another name")
        tags = [*([tag] if tag else []), *(other for other in tags if other != tag)]
        build = Build(new_id(), new_id(), [f"{name}:{tag}" for tag in tags] or [name], tags, memory_mb)
        self._builds[build.id] = build
        return build

    def of_id(self, build_id: str) -> Build | None:
        """The build with that id."""
        return self._builds.get(build_id)

    def template(self, name: str) -> Build | None:
        """The build that has made the template with that name or id."""
        return self._templates.get(name)

    def knows(self, name: str) -> bool:
        """Whether sandboxes can be created from a template with that name."""
        return name in self._templates or name in OF_THE_SERVER[:2] or name in self._table.supplies.names

    def start(self, build: Build, body: Mapping[str, Any]) -> None:
        """Let a build run on its own, as described."""
        build.status = "building"
        build.task = asyncio.get_running_loop().create_task(self._run(build, body))

    async def _run(self, build: Build, body: Mapping[str, Any]) -> None:
        try:
            # The packed files may be large.
            recipe = await asyncio.to_thread(recipe_of, body, self._text)
            await self._make(build, recipe)
        except StepError as error:
            build.fail(str(error), error.step)
        except (LocalError, ValueError, OSError) as error:
            build.fail(str(error), "")
        else:
            for name in (*build.names, build.template):
                self._templates[name] = build
                self._table.supplies.lead(name, build.id)
            build.status = "ready"

    async def _make(self, build: Build, recipe: Recipe) -> None:
        base = self._base(build, recipe)
        build.envs = {**(base.envs if base is not None else {}), **recipe.envs}
        while not (news := await self._table.supplies.news(build.id))["ready"]:
            for line in news["lines"]:
                build.say(line)
        for line in news["lines"]:
            build.say(line)
        earlier = base.files if base is not None else None
        if not recipe.copies:
            build.files = earlier
            return
        sandbox = await self._table.create(SandboxRequest(template=build.id))
        try:
            if earlier is not None:
                await self._snapshots.restore(earlier, sandbox)
            for copy in recipe.copies:
                await self._copy(copy, sandbox)
                build.say(f"copied {copy.source!r} to {copy.target}")
            build.files = await self._snapshots.pack(sandbox, None)
        finally:
            self._table.kill(sandbox)

    def _base(self, build: Build, recipe: Recipe) -> Build | None:
        """Describe the template's environment; return the build that it starts from."""
        supplies = self._table.supplies
        base = self._templates.get(recipe.base)
        table: dict[str, Any] = {"packages": recipe.packages, "python": recipe.python}
        if recipe.base not in ("", "base"):
            earlier = supplies.described(base.id if base is not None else recipe.base)
            if earlier is None:
                hint = "; name all packages after from_python_image()" if recipe.base in OF_THE_SERVER else ""
                raise StepError(BASE_STEP, f"no template goes on from {recipe.base!r} here{hint}")
            table = {**earlier, "packages": [*earlier.get("packages", ()), *recipe.packages]}
        if build.memory_mb is not None:
            table["limits"] = {**table.get("limits", {}), "memory_mb": build.memory_mb}
        try:
            supplies.add(build.id, template_from(build.names[0].replace(":", "-"), table, Path("/")))
        except TemplateError as error:
            raise BuildError(str(error)) from None
        return base

    async def _copy(self, copy: Copy, sandbox: Sandbox) -> None:
        try:
            descriptor, unpack = self.archives.open(copy.archive)
        except BuildError as error:
            raise StepError(copy.step, str(error)) from None
        script = _COPY.format(
            unpack=unpack,
            source=shlex.quote(f"./{copy.source}"),
            target=_place(copy.target),
            file=_place(copy.file),
            folder=_place(posixpath.dirname(copy.file)),
            mode=shlex.quote(copy.mode),
        )
        try:
            status = await sandbox.guest.tools.run(script, stdin=descriptor)
        finally:
            os.close(descriptor)
        if status != 0:
            raise StepError(copy.step, f"{copy.source!r} could not be copied to {copy.target} (exit status {status})")

    def _text(self, copy: Copy) -> str:
        try:
            return self.archives.text(copy.archive, copy.source)
        except BuildError as error:
            raise StepError(copy.step, str(error)) from None


def _place(path: str) -> str:
    """A path as a shell's word: at some isolation levels, a sandbox's folders are elsewhere."""
    if path == HOME or path.startswith(f"{HOME}/"):
        return f'"$HOME"{shlex.quote(path.removeprefix(HOME))}'
    return f'"${{TMPDIR:-/tmp}}"{shlex.quote(path.removeprefix(TEMPORARY))}'
