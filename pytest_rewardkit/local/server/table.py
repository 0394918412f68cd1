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
from pytest_rewardkit.local.internet.relay import Capacity, Relay
from pytest_rewardkit.local.internet.rules import NetworkRules
from pytest_rewardkit.local.server.ended import Endings
from pytest_rewardkit.local.server.execution import Execution
from pytest_rewardkit.local.server.fork_servers import ForkServers
from pytest_rewardkit.local.server.launch import ForkServerProcess, launch
from pytest_rewardkit.local.server.pool import Pool
from pytest_rewardkit.local.server.sandbox import Sandbox, SandboxRequest, new_id
from pytest_rewardkit.local.wire.bounds import BOUNDS, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.local.wire.bounds import Bounds

_FIRST_CELL = "get_ipython().display_formatter.format(1)"
"""Does what most cells do, and leaves nothing behind."""


class SandboxTable:
    """Creates, finds and ends sandboxes.

    Parameters:
        settings: limits.
        launched: a fork server that boots already.
        bounds: how long what it waits for may take.
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
        self._fork_servers = ForkServers(settings, launched, self._renew_pool, bounds=bounds, launcher=launcher)
        self._endings = Endings(bounds.order)
        self._pool = Pool(lambda: self._spawn(self.settings), self._warm, settings.warm_sandboxes)

    async def isolation(self) -> Isolation:
        """What the sandboxes' isolation is worth.

        Raises:
            ForkServerError: there can be no sandboxes.
        """
        return await self._fork_servers.isolation()

    def warm_up(self) -> None:
        """Make the first sandboxes ready."""
        self._pool.refill()

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The live sandbox of that name."""
        return self._sandboxes.get(sandbox_id)

    def all(self) -> Iterable[Sandbox]:
        """Every live sandbox, oldest first."""
        return self._sandboxes.values()

    async def ending(self, sandbox_id: str) -> str:
        """How a sandbox that is not there any more has ended: a code of endings.py, or nothing."""
        return await self._endings.code(sandbox_id)

    async def create(self, request: SandboxRequest) -> Sandbox:
        """Make a sandbox, or take a ready one.

        Raises:
            TooManySandboxesError: there are too many.
            NoInternetError: it is to have internet, and cannot.
            ValueError: a limit cannot be what it is asked to be.
            GuestError: it could not be made.
            GuestGoneError: the fork server ended meanwhile.
            ForkServerError: the fork server does not come up, or nothing comes in time.
        """
        limit = self.settings.max_sandboxes
        if len(self._sandboxes) + self._creating >= limit:
            raise TooManySandboxesError(f"{limit} sandboxes are alive, which is the limit (--max-sandboxes)")
        self._creating += 1
        try:
            async with bounded(self._bounds.create, "no sandbox was ready"):
                sandbox = await self._make(request)
        except UnansweredError as error:
            trouble = self._fork_servers.trouble
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
        """Let a sandbox end after `seconds` from now."""
        sandbox.expire_in(seconds, lambda: self._expired(sandbox))

    async def connect(self, sandbox: Sandbox, *, internet: bool, rules: NetworkRules) -> None:
        """Let a sandbox connect to the internet, as the rules say, or no longer.

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
        """Let a paused sandbox go on, to end after `seconds` from now.

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
        self._fork_servers.kill(sandbox.spawned)

    async def close(self) -> None:
        """End everything."""
        self._pool.close()
        for sandbox in self._sandboxes.values():
            sandbox.cut_off()
        self._sandboxes.clear()
        await self._fork_servers.close()

    def _expired(self, sandbox: Sandbox) -> None:
        if sandbox.request.auto_pause and sandbox.state == "running":
            pausing = self.pause(sandbox, keep_memory=sandbox.request.auto_pause_memory)
            sandbox.guest.background(pausing)
        else:
            self.kill(sandbox)

    async def _warm(self, sandbox: Sandbox) -> None:
        context = sandbox.default_context()
        try:
            async with bounded(self._bounds.sandbox, "a new sandbox did not start its interpreter"):
                await context.start()
        except UnansweredError as error:
            self._end_unless_taken(sandbox, str(error))
            raise ForkServerError(str(error)) from None
        except BaseException:
            self._end_unless_taken(sandbox)
            raise
        self._fork_servers.worked()
        if sandbox.id not in self._sandboxes:
            # The first cell of a fresh kernel takes some milliseconds more than the next; nobody waits for this one.
            context.submit(Execution(_FIRST_CELL, None, output_mb=1, silent=True))

    async def _make(self, request: SandboxRequest) -> Sandbox:
        if request.limits:
            sandbox = await self._spawn(self.settings.changed(request.limits))
        else:
            sandbox = await self._pool.take()
        self._fork_servers.worked()
        if request.internet:
            try:
                await self.connect(sandbox, internet=True, rules=request.rules)
            except BaseException:
                self.kill(sandbox)
                raise
        return sandbox

    async def _spawn(self, limits: Limits) -> Sandbox:
        sandbox_id = new_id()
        spawned = await self._fork_servers.spawn(sandbox_id, limits, on_gone=lambda _: self._gone(sandbox_id))
        sandbox = Sandbox(sandbox_id, spawned, limits, Relay(spawned.guest, self._relay_capacity))
        sandbox.default_context()
        return sandbox

    def _end_unless_taken(self, sandbox: Sandbox, failure: str = "") -> None:
        """End a sandbox that has not become warm; if it is somebody's by now, they may have stopped it themselves."""
        if sandbox.id in self._sandboxes:
            return
        if failure:
            self._fork_servers.failed(sandbox.spawned.fork_server, failure)
        self.kill(sandbox)

    def _renew_pool(self) -> None:
        for sandbox in self._pool.empty():
            self.kill(sandbox)
        self._pool.refill()

    def _gone(self, sandbox_id: str) -> None:
        self._pool.discard(sandbox_id)
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is not None:
            self._endings.note(sandbox_id, sandbox.spawned.ending)
            self.kill(sandbox)
