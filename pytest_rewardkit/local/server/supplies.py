"""The supplies of a server: its own, and one for each of its templates, which is made when first requested."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import BuildError, ForkServerError, UnknownTemplateError
from pytest_rewardkit.local.server.launch import ForkServerProcess, launch
from pytest_rewardkit.local.templates.named_template import OF_THE_SERVER, nearest, to_text
from pytest_rewardkit.local.templates.package_environment import PackageEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.supply import Supply
    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.local.templates.named_template import NamedTemplate

    MakeSupply = Callable[
        [ServerSettings, ForkServerProcess, Callable[[Sequence[str]], ForkServerProcess], Limits], Supply
    ]

NEWS_SECONDS: Final = 5.0
"""How long a request for news waits for some."""

REST_SECONDS: Final = 60.0
"""How long requests for a template that could not be made are refused at once, with the reason."""


@dataclass(slots=True)
class _Making:
    """A template's supply, while it is made and afterwards.

    Parameters:
        task: makes it.
        lines: the lines to report; each goes to only one caller.
        news: set when there is something to report.
        failed_at: the time of its failure; None if it has not failed.
    """

    task: asyncio.Task[Supply]
    lines: deque[str]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failed_at: float | None = None

    @property
    def ready(self) -> bool:
        """Whether sandboxes can be taken from it."""
        return self.task.done() and not self.task.cancelled() and self.task.exception() is None


class Supplies:
    """Finds the supply of a template.

    Parameters:
        settings: the server's settings.
        own: the supply of the environment that the server runs in.
        make: makes a supply from settings, a fork server, a function that starts another one, and limits.
    """

    def __init__(self, settings: ServerSettings, own: Supply, make: MakeSupply) -> None:
        self._settings = settings
        self._own = own
        self._make = make
        self._templates = settings.named_templates()
        self._own_names = tuple(self._templates)
        self._makings: dict[str, _Making] = {}
        self._held: list[int] = []
        self._led: dict[str, str] = {}

    def __contains__(self, template: object) -> bool:
        return template in self._templates

    @property
    def names(self) -> list[str]:
        """The names of the project's templates."""
        return list(self._own_names)

    def add(self, key: str, template: NamedTemplate) -> None:
        """Add a template under a name that nobody uses by chance."""
        self._templates[key] = template

    def lead(self, name: str, key: str) -> None:
        """Make a name stand for one of the added templates."""
        self._led[name] = key

    def described(self, key: str) -> dict[str, Any] | None:
        """A template as a table describes it; None if there is none."""
        template = self._templates.get(key)
        return None if template is None else json.loads(to_text([template]))[template.name]

    def all(self) -> list[Supply]:
        """The supplies that exist."""
        return [self._own, *(making.task.result() for making in self._makings.values() if making.ready)]

    async def of(self, template: str) -> Supply:
        """The supply of a template, made if necessary; for any other name, the server's own.

        Raises:
            BuildError: it cannot be made, or cannot make sandboxes.
        """
        template = self._led.get(template, template)
        if template not in self._templates:
            return self._own
        return await asyncio.shield(self._making(template).task)

    async def news(self, template: str) -> dict[str, Any]:
        """The news of a template that is being made: `lines`, and whether it is `ready`. Waits a little.

        Raises:
            UnknownTemplateError: there is no such template.
            BuildError: as `of`.
        """
        if template not in self._templates:
            raise unknown(template, self._templates)
        making = self._making(template)
        with suppress(TimeoutError):
            async with asyncio.timeout(NEWS_SECONDS):
                await making.news.wait()
        lines = [making.lines.popleft() for _ in range(len(making.lines))]
        if making.task.done():
            making.task.result()
        else:
            making.news.clear()
        return {"lines": lines, "ready": making.ready}

    async def close(self) -> None:
        """End unfinished builds and every supply."""
        tasks = [making.task for making in self._makings.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.gather(*(supply.close() for supply in self.all()))
        for held in self._held:
            os.close(held)
        self._held.clear()

    def _making(self, name: str) -> _Making:
        making = self._makings.get(name)
        loop = asyncio.get_running_loop()
        if making is not None and (making.failed_at is None or loop.time() < making.failed_at + REST_SECONDS):
            return making
        lines: deque[str] = deque()
        making = _Making(loop.create_task(self._made(self._templates[name], lambda line: tell(line))), lines)

        def tell(line: str) -> None:
            making.lines.append(line)
            making.news.set()

        def done(task: asyncio.Task[Supply]) -> None:
            if not task.cancelled() and task.exception() is not None:
                making.failed_at = loop.time()
            making.news.set()

        making.task.add_done_callback(done)
        self._makings[name] = making
        return making

    async def _made(self, template: NamedTemplate, tell: Callable[[str], None]) -> Supply:
        environment = await _build(template, tell)
        self._held += environment.held()
        # No template's sandboxes may be isolated worse than another's.
        level = (await self._own.isolation()).level
        settings = replace(self._settings, isolation=level)
        launcher = partial(launch, environment=environment)
        supply = self._make(
            settings, launcher(settings.guest_options(template.preload)), launcher, template.limits_after(settings)
        )
        try:
            await supply.isolation()
        except BaseException as error:
            await supply.close()
            if isinstance(error, ForkServerError):
                raise BuildError(f"the template {template.name!r} makes no sandboxes: {error}") from None
            raise
        supply.warm_up()
        return supply


def unknown(template: str, templates: Collection[str]) -> UnknownTemplateError:
    """The error for a name that no template has."""
    known = [*OF_THE_SERVER[:2], *templates]
    return UnknownTemplateError(
        f"template {template!r} not found{nearest(template, known)}; templates of your own are described in "
        f"pyproject.toml, as [tool.rewardkit.templates.{template}]"
    )


async def _build(template: NamedTemplate, tell: Callable[[str], None]) -> PackageEnvironment:
    """Make a template's environment in a separate process, which ends with this task."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "pytest_rewardkit.local.templates", template.name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(to_text([template]).encode())
    process.stdin.close()
    told: Mapping[str, Any] = {}
    try:
        async for line in process.stdout:
            told = json.loads(line)
            if "line" in told:
                tell(told["line"])
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if "environment" not in told:
        raise BuildError(told.get("error") or f"the template {template.name!r} cannot be made: its maker has ended")
    python, directories = told["environment"]["python"], told["environment"]["directories"]
    return PackageEnvironment(python, tuple(directories))
