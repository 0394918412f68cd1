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


IDLE_SECONDS: Final = 600.0
"""How long a template that nobody uses keeps its fork server. It is made again from the cache when it is requested."""


@dataclass(slots=True)
class _Making:
    """A template's supply, while it is made and afterwards.

    Parameters:
        task: makes it.
        lines: the lines to report; each goes to only one caller.
        news: set when there is something to report.
        failed_at: the time of its failure; None if it has not failed.
        held: descriptors that keep its environment in the cache.
        idle: ends it when nobody has used it for some time.
    """

    task: asyncio.Task[Supply]
    lines: deque[str]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failed_at: float | None = None
    held: list[int] = field(default_factory=list)
    idle: asyncio.TimerHandle | None = None

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
        self._ending: set[asyncio.Task[None]] = set()
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
        making = self._making(template)
        self._expect_idleness(template, making)
        return await asyncio.shield(making.task)

    async def news(self, template: str) -> dict[str, Any]:
        """The news of a template that is being made: `lines`, and whether it is `ready`. Waits a little.

        Raises:
            UnknownTemplateError: there is no such template.
            BuildError: as `of`.
        """
        if template not in self._templates:
            raise unknown(template, self._templates)
        making = self._making(template)
        self._expect_idleness(template, making)
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
        makings = list(self._makings.values())
        for making in makings:
            making.task.cancel()
            if making.idle is not None:
                making.idle.cancel()
        if makings:
            await asyncio.wait([making.task for making in makings])
        await asyncio.gather(self._own.close(), *map(_end, makings), *self._ending)

    def _expect_idleness(self, name: str, making: _Making) -> None:
        """End a template's supply once nobody has asked for it for some time, unless it is in use then."""
        if making.idle is not None:
            making.idle.cancel()
        loop = asyncio.get_running_loop()
        making.idle = loop.call_later(IDLE_SECONDS, self._end_if_idle, name, making)

    def _end_if_idle(self, name: str, making: _Making) -> None:
        if not making.task.done() or (making.ready and making.task.result().in_use):
            self._expect_idleness(name, making)
        elif making.ready and self._makings.get(name) is making:
            del self._makings[name]
            ending = asyncio.get_running_loop().create_task(_end(making))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _making(self, name: str) -> _Making:
        making = self._makings.get(name)
        loop = asyncio.get_running_loop()
        if making is not None and (making.failed_at is None or loop.time() < making.failed_at + REST_SECONDS):
            return making
        lines: deque[str] = deque()
        held: list[int] = []
        making = _Making(
            loop.create_task(self._made(self._templates[name], lambda line: tell(line), held)), lines, held=held
        )

        def tell(line: str) -> None:
            making.lines.append(line)
            making.news.set()

        def done(task: asyncio.Task[Supply]) -> None:
            if not task.cancelled() and task.exception() is not None:
                making.failed_at = loop.time()
            elif not task.cancelled():
                self._expect_idleness(name, making)
            making.news.set()

        making.task.add_done_callback(done)
        self._makings[name] = making
        return making

    async def _made(self, template: NamedTemplate, tell: Callable[[str], None], held: list[int]) -> Supply:
        environment = await _build(template, tell)
        held += environment.held()
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


async def _end(making: _Making) -> None:
    if making.ready:
        await making.task.result().close()
    while making.held:
        os.close(making.held.pop())


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
