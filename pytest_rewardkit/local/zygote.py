"""The server's end of the fork server that makes sandboxes."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.agent import Agent
from pytest_rewardkit.local.channel import ChannelError
from pytest_rewardkit.local.isolation import Isolation
from pytest_rewardkit.local.peer import Answer, Peer, positive_integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.launch import ZygoteProcess
    from pytest_rewardkit.local.limits import Limits


class ZygoteError(Exception):
    """The fork server ended before it was ready."""


class Zygote:
    """A fork server.

    Parameters:
        launched: the process and its channel.
        on_gone: called once when it has ended, with the sandboxes that went with it already told.
        on_imports: called with the names of slow modules that a candidate has imported, as it says.
    """

    def __init__(
        self,
        launched: ZygoteProcess,
        on_gone: Callable[[], None],
        on_imports: Callable[[list[str]], None],
    ) -> None:
        self._process = launched.process
        self._on_gone = on_gone
        self._on_imports = on_imports
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[Isolation] = self._loop.create_future()
        self._agents: dict[int, Agent] = {}
        self._spawning = 0
        self._peer = Peer(launched.sock, self._receive, self._lost)
        self._ended = self._loop.create_future()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._reap)

    async def ready(self) -> Isolation:
        """Wait until it can make sandboxes.

        Raises:
            ZygoteError: it ended instead.
        """
        return await asyncio.shield(self._ready)

    async def spawn(self, sandbox_id: str, limits: Limits, *, on_gone: Callable[[str], None]) -> SpawnedSandbox:
        """Make a sandbox.

        Parameters:
            sandbox_id: its name.
            limits: what it may use.
            on_gone: as for `Agent`.

        Raises:
            GuestError: it could not be made.
            GuestGoneError: the fork server is gone.
        """
        ours, theirs = socket.socketpair()
        agent = Agent(ours, limits, on_gone, self._on_imports)
        with theirs:
            spawned = self._peer.request(
                "spawn",
                lambda answer: self._adopt(agent, answer),
                [theirs.fileno()],
                sandbox=sandbox_id,
                limits=limits.of_guest(),
            )
        self._spawning += 1
        try:
            return await spawned
        except BaseException:
            agent.close()
            raise
        finally:
            self._spawning -= 1

    def kill(self, sandbox: SpawnedSandbox) -> None:
        """End a sandbox, whatever runs in it. Its processes end a moment later."""
        if self._agents.pop(sandbox.pid, None) is None:
            sandbox.agent.close()
            return

        def dead(answer: asyncio.Future[None]) -> None:
            answer.exception()  # whichever way it fails, the sandbox is not there any more
            sandbox.agent.close()

        # Its channels are closed when its processes are dead, which else would wake to see that, and to end.
        self._peer.request("kill", _nothing, pid=sandbox.pid).add_done_callback(dead)

    async def pause(self, sandbox: SpawnedSandbox, *, keep_memory: bool) -> None:
        """Stop all that runs in a sandbox, or end it and wait for that.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        sandbox.agent.frozen = True
        await self._peer.request("pause", _nothing, pid=sandbox.pid, memory=keep_memory)
        if not keep_memory:
            await sandbox.agent.all_ended()

    async def resume(self, sandbox: SpawnedSandbox) -> None:
        """Let all that runs in a sandbox go on.

        Raises:
            GuestGoneError: the sandbox is gone.
        """
        sandbox.agent.frozen = False
        await self._peer.request("resume", _nothing, pid=sandbox.pid)

    @property
    def busy(self) -> bool:
        """Whether it has sandboxes, or makes one."""
        return bool(self._agents) or self._spawning > 0

    def retire(self) -> None:
        """End the fork server and every sandbox that it made."""
        for agent in self._agents.values():
            agent.close()
        self._agents.clear()
        self._peer.close()

    async def close(self) -> None:
        """As `retire`; returns when it has ended."""
        self.retire()
        await self._ended

    def _adopt(self, agent: Agent, answer: Answer) -> SpawnedSandbox:
        pid = answer.integer("pid")
        self._agents[pid] = agent
        return SpawnedSandbox(pid, agent, self)

    def _receive(self, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "ready":
            if not self._ready.done():
                self._ready.set_result(_isolation(message))
        elif event == "failed":
            if not self._ready.done():
                self._ready.set_exception(ZygoteError(str(message.get("message"))))
                self._ready.exception()
        elif event == "exit":
            agent = self._agents.pop(positive_integer(message, "pid"), None)
            if agent is not None:
                agent.ended()
        else:
            raise ChannelError(f"a fork server has no event {event[:40]!r}")

    def _lost(self, error: Exception | None) -> None:
        if error is not None:
            self._process.kill()
        agents, self._agents = self._agents, {}
        for agent in agents.values():
            agent.ended()

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        status = self._process.wait()
        if not self._ready.done():
            self._ready.set_exception(ZygoteError(f"the fork server ended with status {status} before it was ready"))
            self._ready.exception()
        self._peer.close()
        self._lost(None)
        self._ended.set_result(None)
        self._on_gone()


@dataclass(frozen=True, slots=True)
class SpawnedSandbox:
    """A sandbox's first process, by its number outside; the agent in it; and the fork server that made it."""

    pid: int
    agent: Agent
    zygote: Zygote


def _isolation(message: dict[str, Any]) -> Isolation:
    try:
        return Isolation.from_message(message)
    except ValueError as error:
        raise ChannelError(str(error)) from error


def _nothing(_: Answer) -> None:
    pass
