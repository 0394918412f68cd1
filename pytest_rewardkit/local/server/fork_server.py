"""The server's end of the fork server that makes sandboxes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.endings import FROM_WITHIN, LOST, MACHINE_MEMORY, OWN_MEMORY
from pytest_rewardkit.local.errors import ChannelError, ForkServerError, GuestError, GuestGoneError, UnansweredError
from pytest_rewardkit.local.isolation import Isolation
from pytest_rewardkit.local.server.guest_proxy import GuestProxy
from pytest_rewardkit.local.server.launch import ended, ended_early
from pytest_rewardkit.local.wire.bounds import BOUNDS, bounded
from pytest_rewardkit.local.wire.peer import GuestAnswer, Peer, positive_integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.launch import ForkServerProcess
    from pytest_rewardkit.local.wire.bounds import Bounds


class ForkServerProxy:
    """A fork server.

    Parameters:
        launched: the process and its channel.
        on_gone: called once when it has ended; by then its sandboxes have been told.
        on_imports: called with the names of slow modules that a candidate has imported, as the candidate reports.
        bounds: how long it may take.
    """

    def __init__(
        self,
        launched: ForkServerProcess,
        on_gone: Callable[[], None],
        on_imports: Callable[[list[str]], None],
        *,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._bounds = bounds
        self._process = launched.process
        self._on_gone = on_gone
        self._on_imports = on_imports
        self.failure = ""
        """Why it failed, if that is known."""
        self.refused = False
        """Whether it has reported that it cannot make sandboxes; then no fork server like it can."""
        self.refused_module = ""
        """The module without which it may work; "" if there is none."""
        self.preloaded: frozenset[str] = frozenset()
        """The modules that its sandboxes have, once it is ready."""
        self.tried_in_vain = ""
        """The plan that it has found not to work here, while another one can be tried."""
        self._trying = ""
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[Isolation] = self._loop.create_future()
        self._guests: dict[int, GuestProxy] = {}
        self._endings: dict[int, asyncio.Future[str]] = {}
        self._spawning = 0
        self._peer = Peer(launched.sock, self._receive, self._lost, name="the fork server", patience=bounds.order)
        self._killing = self._loop.call_later(bounds.boot, self._boot_failed)
        self._ended = self._loop.create_future()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._reap)
        for message in launched.said:
            self._receive(message)

    async def ready(self) -> Isolation:
        """Wait until it can make sandboxes.

        Raises:
            ForkServerError: it ended instead, or was not ready in time.
        """
        return await asyncio.shield(self._ready)

    async def spawn(self, sandbox_id: str, limits: Limits, *, on_gone: Callable[[str], None]) -> SpawnedSandbox:
        """Make a sandbox.

        Parameters:
            sandbox_id: its name.
            limits: what it may use.
            on_gone: as for `GuestProxy`.

        Raises:
            GuestError: it could not be made.
            GuestGoneError: the fork server is gone.
            ForkServerError: it took too long.
        """
        ours, theirs = socket.socketpair()
        guest = GuestProxy(ours, limits, on_gone, self._on_imports, bounds=self._bounds)
        with theirs:
            spawned = self._peer.request(
                "spawn",
                lambda answer: self._adopt(guest, answer),
                [theirs.fileno()],
                sandbox=sandbox_id,
                limits=limits.of_guest(),
            )
        self._spawning += 1
        try:
            async with bounded(self._bounds.sandbox, "the fork server did not make a sandbox"):
                sandbox = await spawned
            async with bounded(self._bounds.sandbox, "a new sandbox was not ready"):
                await self._made(guest)
            return sandbox
        except UnansweredError as error:
            guest.close()
            raise ForkServerError(str(error)) from None
        except BaseException:
            guest.close()
            raise
        finally:
            self._spawning -= 1

    def kill(self, sandbox: SpawnedSandbox) -> None:
        """End a sandbox with all that runs in it. Its processes end a moment later."""
        if self._guests.pop(sandbox.pid, None) is None:
            sandbox.guest.close()
            return

        # Without its channel the guest ends, whatever the fork server does.
        late = self._loop.call_later(self._bounds.order, sandbox.guest.close)

        def dead(answer: asyncio.Future[None]) -> None:
            late.cancel()
            answer.exception()  # even if the request failed, the sandbox is gone
            sandbox.guest.close()

        # Its channels are closed only when its processes are dead. Otherwise they would wake to see that, and to end.
        self._peer.request("kill", _nothing, pid=sandbox.pid).add_done_callback(dead)

    async def pause(self, sandbox: SpawnedSandbox, *, keep_memory: bool) -> None:
        """Stop all that runs in a sandbox, or end it and wait until it has ended.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        sandbox.guest.frozen = True
        await self._peer.ask("pause", _nothing, pid=sandbox.pid, memory=keep_memory)
        if not keep_memory:
            await sandbox.guest.all_ended()

    async def resume(self, sandbox: SpawnedSandbox) -> None:
        """Let all that runs in a sandbox continue.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        sandbox.guest.frozen = False
        await self._peer.ask("resume", _nothing, pid=sandbox.pid)

    @property
    def busy(self) -> bool:
        """Whether it has sandboxes or is making one."""
        return bool(self._guests) or self._spawning > 0

    def retire(self) -> None:
        """End the fork server and every sandbox that it made."""
        for guest in self._guests.values():
            guest.close()
        self._guests.clear()
        self._peer.close()
        self._end_soon()

    async def close(self) -> None:
        """Like `retire`, but return only when it has ended. If it is late, it is killed."""
        self.retire()
        await asyncio.wait([self._ended], timeout=2 * self._bounds.end)

    async def _made(self, guest: GuestProxy) -> None:
        try:
            await guest.ready()
        except GuestGoneError as error:
            if self._peer.closed:
                raise
            # Its limits may be too low to run anything; that is not the fork server's fault.
            raise GuestError(None, error) from None

    def _adopt(self, guest: GuestProxy, answer: GuestAnswer) -> SpawnedSandbox:
        pid = answer.integer("pid")
        self._guests[pid] = guest
        ending = self._endings[pid] = self._loop.create_future()
        return SpawnedSandbox(pid, guest, self, ending)

    def _receive(self, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "ready":
            if not self._ready.done():
                loaded = message.get("preloaded")
                self.preloaded = frozenset(map(str, loaded)) if isinstance(loaded, list) else frozenset()
                self._ready.set_result(_isolation(message))
                self._killing.cancel()
        elif event == "trying":
            self._trying = str(message.get("plan"))
        elif event == "failed":
            if "plan" in message:
                self.tried_in_vain = str(message["plan"])
            elif "module" in message:
                self.refused_module = str(message["module"])
            else:
                self.refused = not self._ready.done()
            self._not_ready(str(message.get("message")))
        elif event == "exit":
            pid = positive_integer(message, "pid")
            ending = self._endings.pop(pid, None)
            if ending is not None:
                reason = message.get("reason")
                ending.set_result(reason if reason in (MACHINE_MEMORY, OWN_MEMORY) else FROM_WITHIN)
            guest = self._guests.pop(pid, None)
            if guest is not None:
                guest.ended()
        else:
            raise ChannelError(f"a fork server has no event {event[:40]!r}")

    def _end_soon(self) -> None:
        # Without its channel it is of no use, whether or not it notices.
        self._killing.cancel()
        if not self._ended.done():
            self._killing = self._loop.call_later(self._bounds.end, self._process.kill)

    def _boot_failed(self) -> None:
        self._not_ready(f"the fork server was not ready within {self._bounds.boot:g} s")
        self._process.kill()

    def _not_ready(self, reason: str) -> None:
        self.failure = self.failure or reason
        if not self._ready.done():
            self._ready.set_exception(ForkServerError(reason))
            self._ready.exception()

    def _lost(self, error: Exception | None) -> None:
        if error is not None:
            self._not_ready(f"the fork server broke the protocol: {error}")
            self._process.kill()
        self._end_soon()
        endings, self._endings = self._endings, {}
        for ending in endings.values():
            ending.set_result(LOST)
        guests, self._guests = self._guests, {}
        for guest in guests.values():
            guest.ended()

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        status = self._process.wait()
        self._killing.cancel()
        if not self._ready.done() and status != -signal.SIGKILL:  # which comes from outside, and says nothing
            self.tried_in_vain = self._trying
        self._not_ready(ended(status) if self._ready.done() else ended_early(status))
        self._peer.close()
        self._ended.set_result(None)
        self._lost(None)
        self._on_gone()


@dataclass(frozen=True, slots=True)
class SpawnedSandbox:
    """A sandbox that has been made.

    Parameters:
        pid: the number of its first process, as seen from outside.
        guest: the server's end of its guest.
        fork_server: the fork server that made it.
        ending: how it has ended, as a code of endings.py; known once its first process or its fork server has ended.
    """

    pid: int
    guest: GuestProxy
    fork_server: ForkServerProxy
    ending: asyncio.Future[str]


def _isolation(message: dict[str, Any]) -> Isolation:
    try:
        return Isolation.from_message(message)
    except ValueError as error:
        raise ChannelError(str(error)) from error


def _nothing(_: GuestAnswer) -> None:
    pass
