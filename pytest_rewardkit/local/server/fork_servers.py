"""Decides which fork server makes the next sandbox, and when to start another one.

The first one is booted with few modules, to be ready soon. If candidates import modules that are slow to import,
another one that has them is booted beside it, and takes over when it is ready. The first one stays for the sandboxes
that it has made. A fork server that dies or fails at its task is replaced when one is needed. If several in a row have
failed, requests are refused with the reason, and another one is tried only now and then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import ForkServerError, GuestGoneError
from pytest_rewardkit.local.server.fork_server import ForkServerProxy
from pytest_rewardkit.local.server.imports import Imports
from pytest_rewardkit.local.server.launch import ForkServerProcess, launch, options_after
from pytest_rewardkit.local.wire.bounds import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.fork_server import SpawnedSandbox
    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.local.wire.bounds import Bounds

MAX_SUCCESSORS: Final = 8
"""How often candidates can cause another one to be booted."""


class ForkServers:
    """The fork servers of one server.

    Parameters:
        settings: limits.
        launched: the first one, which is booting already.
        on_replaced: called when another one has taken over.
        bounds: how long they may take, and how often they may fail.
        launcher: starts another one with these options.
    """

    def __init__(
        self,
        settings: ServerSettings,
        launched: ForkServerProcess,
        on_replaced: Callable[[], None],
        *,
        bounds: Bounds = BOUNDS,
        launcher: Callable[[Sequence[str]], ForkServerProcess] = launch,
    ) -> None:
        self._settings = settings
        self._bounds = bounds
        self._launcher = launcher
        self._failures = 0
        self.trouble = ""
        """The reason for the last failure."""
        self._rest_until = 0.0
        self._tried: dict[str, str] = {}
        self._on_replaced = on_replaced
        self._closing = False
        self._imports = Imports(settings.preloaded())
        self._successors = 0
        self._all: set[ForkServerProxy] = set()
        self._current: ForkServerProxy | None = self._adopt(launched)
        self._next: asyncio.Task[None] | None = None

    async def isolation(self) -> Isolation:
        """How well the sandboxes are isolated.

        Raises:
            ForkServerError: there can be no sandboxes.
        """
        return await self._usable().ready()

    async def spawn(self, sandbox_id: str, limits: Limits, *, on_gone: Callable[[str], None]) -> SpawnedSandbox:
        """Make a sandbox like `ForkServerProxy.spawn`, once there is a fork server that can.

        Raises:
            GuestError, GuestGoneError: it could not be made.
            ForkServerError: there can be no sandboxes.
        """
        while True:
            fork_server = self._usable()
            try:
                await fork_server.ready()
                spawned = await fork_server.spawn(sandbox_id, limits, on_gone=on_gone)
            except (ForkServerError, GuestGoneError) as error:
                if self._closing:
                    raise
                if isinstance(error, GuestGoneError):
                    await fork_server.close()  # then it knows why it has ended
                # Nothing has run in the sandbox yet, so another fork server may do better.
                self.failed(fork_server, fork_server.failure or str(error))
            else:
                self._imports.sandbox_made()
                return spawned

    def worked(self) -> None:
        """Note that a sandbox is as it should be, so that earlier failures count no more."""
        self._failures = 0
        self.trouble = ""

    def failed(self, fork_server: ForkServerProxy, reason: str) -> None:
        """Note that a fork server has failed at its task; another one makes the next sandbox."""
        if fork_server is self._current:
            self._current = None
            if fork_server.tried_in_vain and fork_server.tried_in_vain not in self._tried:
                # The next one tries a weaker plan.
                self._tried[fork_server.tried_in_vain] = reason
            else:
                self._failures += self._bounds.failures if fork_server.refused else 1
            self.trouble = reason
            self._rest_until = asyncio.get_running_loop().time() + self._bounds.rest
        self._retire_if_done(fork_server)

    def kill(self, sandbox: SpawnedSandbox) -> None:
        """End a sandbox. If its fork server has been replaced and has no other sandbox, end that too."""
        sandbox.fork_server.kill(sandbox)
        self._retire_if_done(sandbox.fork_server)

    def want(self, modules: Iterable[str]) -> None:
        """Have these modules, which candidates import, in later sandboxes if that is possible."""
        if self._settings.preload != "auto" or self._closing:
            return
        self._imports.note(modules)
        if self._next is None and self._imports.wanted(any_name=True) != self._imports.had:
            self._next = asyncio.get_running_loop().create_task(self._replace())

    async def close(self) -> None:
        """End every fork server and its sandboxes; return when they have ended."""
        self._closing = True
        if self._next is not None:
            self._next.cancel()
        await asyncio.gather(*(fork_server.close() for fork_server in self._all))

    def _usable(self) -> ForkServerProxy:
        if self._closing:
            raise ForkServerError("the server is shutting down")
        if self._current is None:
            if self._failures >= self._bounds.failures:
                now = asyncio.get_running_loop().time()
                if now < self._rest_until:
                    raise ForkServerError(f"no fork server works here: {self.trouble}")
                self._rest_until = now + self._bounds.rest
            self._current = self._launch(self._imports.had)
        return self._current

    def _retire_if_done(self, fork_server: ForkServerProxy) -> None:
        if fork_server is not self._current and not fork_server.busy:
            fork_server.retire()

    def _launch(self, preloaded: Sequence[str]) -> ForkServerProxy:
        return self._adopt(self._launcher([*self._settings.guest_options(preloaded), *options_after(self._tried)]))

    def _adopt(self, launched: ForkServerProcess) -> ForkServerProxy:
        fork_server = ForkServerProxy(launched, lambda: self._gone(fork_server), self.want, bounds=self._bounds)
        self._all.add(fork_server)
        return fork_server

    async def _replace(self) -> None:
        """Boot fork servers with the wanted modules until one works; if none does, each sandbox imports them itself."""
        imports = self._imports
        try:
            any_name = bool((await self.isolation()).layers.get("private root"))
            while self._successors < MAX_SUCCESSORS and (wanted := imports.wanted(any_name=any_name)) != imports.had:
                self._successors += 1
                successor = self._launch(wanted)
                try:
                    await successor.ready()
                except ForkServerError:
                    new = set(wanted) - set(imports.had)
                    imports.refuse(new & {successor.refused_module} or new)
                    continue
                imports.refuse(set(wanted) - successor.preloaded)
                loaded = [name for name in wanted if name in successor.preloaded]
                if set(loaded) <= set(imports.had):
                    successor.retire()
                    continue
                imports.have(loaded)
                predecessor, self._current = self._current, successor
                self._on_replaced()
                if predecessor is not None:
                    self._retire_if_done(predecessor)
        except ForkServerError:
            pass  # there are no sandboxes, and requests for one say so
        finally:
            self._next = None

    def _gone(self, fork_server: ForkServerProxy) -> None:
        self._all.discard(fork_server)
        self.failed(fork_server, fork_server.failure or "it ended")
