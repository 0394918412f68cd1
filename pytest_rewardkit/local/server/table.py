"""All sandboxes of a server."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import (
    ForkServerError,
    GuestGoneError,
    NoInternetError,
    TooManySandboxesError,
    UnansweredError,
)
from pytest_rewardkit.local.internet.relay import Capacity
from pytest_rewardkit.local.internet.rules import NetworkRules
from pytest_rewardkit.local.server.ended import Endings
from pytest_rewardkit.local.server.launch import ForkServerProcess, launch
from pytest_rewardkit.local.server.supplies import Supplies
from pytest_rewardkit.local.server.supply import Supply
from pytest_rewardkit.local.wire.bounds import BOUNDS, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.sandbox import Sandbox, SandboxRequest
    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.local.wire.bounds import Bounds


class SandboxTable:
    """Creates, finds and ends sandboxes.

    Parameters:
        settings: limits.
        launched: a fork server that is booting already.
        bounds: how long its waits may take.
        launcher: starts another fork server.
    """

    def __init__(
        self,
        settings: ServerSettings,
        launched: ForkServerProcess,
        *,
        bounds: Bounds = BOUNDS,
        launcher: Callable[[Sequence[str]], ForkServerProcess] = launch,
    ) -> None:
        self.settings = settings
        self._bounds = bounds
        self._sandboxes: dict[str, Sandbox] = {}
        self._creating = 0
        self._relay_capacity = Capacity()
        self._serials = itertools.count(1)
        self._endings = Endings(bounds.order)
        self._own = self._supply(settings, launched, launcher, settings)
        self.supplies = Supplies(settings, self._own, self._supply)

    async def isolation(self) -> Isolation:
        """How well the sandboxes are isolated.

        Raises:
            ForkServerError: there can be no sandboxes.
        """
        return await self._own.isolation()

    def warm_up(self) -> None:
        """Make the first sandboxes ready."""
        self._own.warm_up()

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The live sandbox with that name."""
        return self._sandboxes.get(sandbox_id)

    def all(self) -> Iterable[Sandbox]:
        """Every live sandbox, oldest first."""
        return self._sandboxes.values()

    async def ending(self, sandbox_id: str) -> str:
        """How a sandbox that is gone has ended: a code of endings.py, or ""."""
        return await self._endings.code(sandbox_id)

    async def create(self, request: SandboxRequest) -> Sandbox:
        """Make a sandbox, or take a ready one.

        Raises:
            TooManySandboxesError: there are too many.
            NoInternetError: it asks for internet, which is not possible.
            ValueError: a limit has a value that is not possible.
            BuildError: its template cannot be made.
            GuestError: it could not be made.
            GuestGoneError: the fork server ended meanwhile.
            ForkServerError: the fork server does not come up, or does not answer in time.
        """
        # Installing packages may take longer than anything else.
        supply = await self.supplies.of(request.template)
        limit = self.settings.max_sandboxes
        if len(self._sandboxes) + self._creating >= limit:
            raise TooManySandboxesError(f"{limit} sandboxes are alive, which is the limit (--max-sandboxes)")
        self._creating += 1
        try:
            async with bounded(self._bounds.create, "no sandbox was ready"):
                sandbox = await self._make(request, supply)
        except UnansweredError as error:
            trouble = supply.trouble
            raise ForkServerError(f"{error}: {trouble}" if trouble else str(error)) from None
        finally:
            self._creating -= 1
        if sandbox.guest.closed:
            raise GuestGoneError("the sandbox ended at once")
        sandbox.assign(request, next(self._serials))
        self._sandboxes[sandbox.id] = sandbox
        self.expire_in(sandbox, request.timeout)
        return sandbox

    def expire_in(self, sandbox: Sandbox, seconds: float) -> None:
        """Let a sandbox end in `seconds` from now."""
        sandbox.expire_in(seconds, lambda: self._expired(sandbox))

    async def connect(self, sandbox: Sandbox, *, internet: bool, rules: NetworkRules) -> None:
        """Let a sandbox connect to the internet as the rules say, or stop that.

        Raises:
            NoInternetError: it cannot have internet.
            GuestError, GuestGoneError, OSError: the sandbox has failed.
        """
        isolation = await self.isolation()
        if isolation.relayed:
            await sandbox.relay.apply(rules if internet else None)
        elif internet and (isolation.confined or rules != NetworkRules()):
            what = "internet access" if isolation.confined else "network rules"
            raise NoInternetError(
                f"{what} at isolation level {isolation.level!r}; this needs the level 'no-procfs' or 'full'"
            )
        sandbox.request = replace(sandbox.request, internet=internet, rules=rules)

    async def pause(self, sandbox: Sandbox, *, keep_memory: bool) -> None:
        """Stop a sandbox's processes where they are; without `keep_memory`, end them. Its connections are cut off.

        Raises:
            GuestGoneError: the sandbox has ended.
        """
        sandbox.state = "paused"
        sandbox.cut_off()
        await asyncio.shield(
            sandbox.guest.background(sandbox.spawned.fork_server.pause(sandbox.spawned, keep_memory=keep_memory))
        )

    async def resume(self, sandbox: Sandbox, seconds: float) -> None:
        """Let a paused sandbox continue, and end in `seconds` from now.

        Raises:
            GuestGoneError: the sandbox has ended.
        """
        await asyncio.shield(sandbox.guest.background(sandbox.spawned.fork_server.resume(sandbox.spawned)))
        sandbox.state = "running"
        self.expire_in(sandbox, seconds)

    def kill(self, sandbox: Sandbox) -> None:
        """End a sandbox, its connections first. Its processes end a moment later."""
        self._sandboxes.pop(sandbox.id, None)
        sandbox.cut_off()
        sandbox.end()

    async def close(self) -> None:
        """End everything."""
        for supply in self.supplies.all():
            supply.stop()
        for sandbox in self._sandboxes.values():
            sandbox.cut_off()
        self._sandboxes.clear()
        await self.supplies.close()

    def _expired(self, sandbox: Sandbox) -> None:
        if sandbox.request.auto_pause and sandbox.state == "running":
            pausing = self.pause(sandbox, keep_memory=sandbox.request.auto_pause_memory)
            sandbox.guest.background(pausing)
        else:
            self.kill(sandbox)

    async def _make(self, request: SandboxRequest, supply: Supply) -> Sandbox:
        sandbox = await supply.take(request.limits)
        if request.internet:
            try:
                await self.connect(sandbox, internet=True, rules=request.rules)
            except BaseException:
                self.kill(sandbox)
                raise
        return sandbox

    def _supply(
        self,
        settings: ServerSettings,
        launched: ForkServerProcess,
        launcher: Callable[[Sequence[str]], ForkServerProcess],
        limits: Limits,
    ) -> Supply:
        return Supply(
            settings,
            launched,
            bounds=self._bounds,
            launcher=launcher,
            limits=limits,
            capacity=self._relay_capacity,
            is_taken=self._sandboxes.__contains__,
            on_gone=self._gone,
        )

    def _gone(self, sandbox_id: str) -> None:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is not None:
            self._endings.note(sandbox_id, sandbox.spawned.ending)
            self.kill(sandbox)
