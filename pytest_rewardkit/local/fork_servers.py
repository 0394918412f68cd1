"""Which fork server makes the next sandbox, and when there is another one.

The first one is booted with little, to be ready soon. When a candidate imports a module that is slow to import, another
one is booted beside it that has the module, and takes over when it is ready; the first one stays for the sandboxes that
it has made. One that dies is replaced when it is needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pytest_rewardkit.local.launch import ZygoteProcess, launch
from pytest_rewardkit.local.settings import PRELOADABLE
from pytest_rewardkit.local.zygote import Zygote, ZygoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.settings import Settings
    from pytest_rewardkit.local.zygote import SpawnedSandbox


class ForkServers:
    """The fork servers of one server.

    Parameters:
        settings: limits.
        launched: the first one, which boots already.
        on_replaced: called when another one has taken over.
    """

    def __init__(self, settings: Settings, launched: ZygoteProcess, on_replaced: Callable[[], None]) -> None:
        self._settings = settings
        self._on_replaced = on_replaced
        self._closing = False
        self._preloaded = frozenset(settings.preloaded())
        self._all: set[Zygote] = set()
        self._current: Zygote | None = self._adopt(launched)
        self._next: asyncio.Task[None] | None = None
        self._not_preloadable: frozenset[str] = frozenset()

    async def isolation(self) -> Isolation:
        """What the sandboxes' isolation is worth.

        Raises:
            ZygoteError: there can be no sandboxes.
        """
        return await self._usable().ready()

    async def spawn(self, sandbox_id: str, limits: Limits, *, on_gone: Callable[[str], None]) -> SpawnedSandbox:
        """Make a sandbox, as `Zygote.spawn`, when there is a fork server that can.

        Raises:
            GuestError, GuestGoneError: it could not be made.
            ZygoteError: there can be no sandboxes.
        """
        zygote = self._usable()
        await zygote.ready()
        return await zygote.spawn(sandbox_id, limits, on_gone=on_gone)

    def kill(self, sandbox: SpawnedSandbox) -> None:
        """End a sandbox, and its fork server when that has been replaced and has no other."""
        sandbox.zygote.kill(sandbox)
        if sandbox.zygote is not self._current and not sandbox.zygote.busy:
            sandbox.zygote.retire()

    def want(self, modules: Iterable[str]) -> None:
        """Candidates import these modules: have them in the sandboxes to come, if that can be."""
        wanted = self._preloaded | (set(modules) & set(PRELOADABLE)) - self._not_preloadable
        if self._settings.preload == "auto" and wanted != self._preloaded and self._next is None and not self._closing:
            self._next = asyncio.get_running_loop().create_task(self._replace(wanted))

    async def close(self) -> None:
        """End every fork server, and every sandbox with it; returns when they have ended."""
        self._closing = True
        if self._next is not None:
            self._next.cancel()
        for zygote in list(self._all):
            await zygote.close()

    def _usable(self) -> Zygote:
        if self._closing:
            raise ZygoteError("the server is shutting down")
        if self._current is None:
            self._current = self._launch(self._preloaded)
        return self._current

    def _launch(self, preloaded: frozenset[str]) -> Zygote:
        return self._adopt(launch(self._settings.guest_options(preloaded)))

    def _adopt(self, launched: ZygoteProcess) -> Zygote:
        zygote = Zygote(launched, lambda: self._gone(zygote), self.want)
        self._all.add(zygote)
        return zygote

    async def _replace(self, preloaded: frozenset[str]) -> None:
        successor = self._launch(preloaded)
        try:
            await successor.ready()
        except ZygoteError:
            # What is there works; each sandbox imports them by itself.
            self._not_preloadable |= preloaded - self._preloaded
            return
        finally:
            self._next = None
        self._preloaded = preloaded
        predecessor, self._current = self._current, successor
        self._on_replaced()
        if predecessor is not None and not predecessor.busy:
            predecessor.retire()

    def _gone(self, zygote: Zygote) -> None:
        self._all.discard(zygote)
        if zygote is self._current:
            self._current = None
