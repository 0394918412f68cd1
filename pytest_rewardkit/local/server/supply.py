"""The sandboxes of one environment: its fork servers, and the sandboxes that are made ready in advance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import ForkServerError, UnansweredError
from pytest_rewardkit.local.internet.relay import Relay
from pytest_rewardkit.local.server.execution import Execution
from pytest_rewardkit.local.server.fork_servers import ForkServers
from pytest_rewardkit.local.server.pool import Pool
from pytest_rewardkit.local.server.sandbox import Sandbox, new_id
from pytest_rewardkit.local.wire.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_rewardkit.local.internet.relay import Capacity
    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.launch import ForkServerProcess
    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.local.wire.bounds import Bounds

_FIRST_CELL: Final = "get_ipython().display_formatter.format(1)"
"""Does what most cells do, without leaving a trace."""


class Supply:
    """Makes sandboxes of one environment.

    Parameters:
        settings: limits, and the modules for its fork servers.
        launched: a fork server that is booting already.
        bounds: how long its waits may take.
        launcher: starts another fork server.
        limits: the limits of sandboxes that ask for no others.
        capacity: what all connections to the internet may take.
        is_taken: whether a sandbox has been given to a user.
        on_gone: called with the name of a sandbox that has ended.
    """

    def __init__(
        self,
        settings: ServerSettings,
        launched: ForkServerProcess,
        *,
        bounds: Bounds,
        launcher: Callable[[Sequence[str]], ForkServerProcess],
        limits: Limits,
        capacity: Capacity,
        is_taken: Callable[[str], bool],
        on_gone: Callable[[str], None],
    ) -> None:
        self._bounds = bounds
        self._limits = limits
        self._capacity = capacity
        self._is_taken = is_taken
        self._given: set[str] = set()
        self._wants_cells = True
        self._on_gone = on_gone
        self._fork_servers = ForkServers(settings, launched, self._renew_pool, bounds=bounds, launcher=launcher)
        self._pool = Pool(lambda: self._spawn(self._limits), self._warm, settings.warm_sandboxes)

    async def isolation(self) -> Isolation:
        """How well the sandboxes are isolated.

        Raises:
            ForkServerError: there can be no sandboxes.
        """
        return await self._fork_servers.isolation()

    @property
    def trouble(self) -> str:
        """The reason for the last failure of a fork server."""
        return self._fork_servers.trouble

    def warm_up(self) -> None:
        """Make the first sandboxes ready."""
        self._pool.refill()

    async def take(self, limits: Mapping[str, int]) -> Sandbox:
        """Make a sandbox, or take a ready one.

        Parameters:
            limits: those that differ from the usual ones.

        Raises:
            ValueError: a limit has a value that is not possible.
            GuestError: it could not be made.
            GuestGoneError: the fork server ended meanwhile.
            ForkServerError: the fork server does not come up.
        """
        sandbox = await self._spawn(self._limits.changed(limits)) if limits else await self._pool.take()
        self._fork_servers.worked()
        self._given = {given for given in self._given if self._is_taken(given)} | {sandbox.id}
        return sandbox

    @property
    def in_use(self) -> bool:
        """Whether a user has one of its sandboxes."""
        return any(map(self._is_taken, self._given))

    def stop(self) -> None:
        """Keep no more sandboxes ready; callers that wait for one get an error."""
        self._pool.close()

    async def close(self) -> None:
        """End every fork server and its sandboxes."""
        self.stop()
        await self._fork_servers.close()

    async def _spawn(self, limits: Limits) -> Sandbox:
        sandbox_id = new_id()
        spawned = await self._fork_servers.spawn(sandbox_id, limits, on_gone=lambda _: self._gone(sandbox_id))
        relay = Relay(spawned.guest, self._capacity)
        sandbox = Sandbox(
            sandbox_id, spawned, limits, relay, end=lambda: self._fork_servers.kill(spawned), note_run=self._note_run
        )
        sandbox.default_context()
        return sandbox

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
        if self._wants_cells and not self._is_taken(sandbox.id):
            # The first cell of a fresh kernel takes some milliseconds longer than the next. Nobody waits for this one.
            # If only calls run, as when rows are scored, it would be useless.
            context.submit(Execution(_FIRST_CELL, None, output_mb=1, silent=True))

    def _note_run(self, cell: bool) -> None:
        self._wants_cells = cell

    def _end_unless_taken(self, sandbox: Sandbox, failure: str = "") -> None:
        """End a sandbox that has not become warm. If a user has it by now, the user may have stopped it."""
        if self._is_taken(sandbox.id):
            return
        if failure:
            self._fork_servers.failed(sandbox.spawned.fork_server, failure)
        sandbox.end()

    def _renew_pool(self) -> None:
        for sandbox in self._pool.empty():
            sandbox.end()
        self._pool.refill()

    def _gone(self, sandbox_id: str) -> None:
        self._pool.discard(sandbox_id)
        self._on_gone(sandbox_id)
