"""A sandbox as its user sees it: its name and token, its time, its contexts, and the connections that it serves."""

from __future__ import annotations

import asyncio
import secrets
import string
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pytest_rewardkit.local.internet.rules import NetworkRules
from pytest_rewardkit.local.named_contexts import is_name
from pytest_rewardkit.local.server.context import HOME, PYTHON, Context
from pytest_rewardkit.local.server.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_rewardkit.local.internet.relay import Relay
    from pytest_rewardkit.local.limits import Limits
    from pytest_rewardkit.local.server.fork_server import SpawnedSandbox
    from pytest_rewardkit.local.server.guest_proxy import GuestProxy

State = Literal["running", "paused"]

DEFAULT_TIMEOUT_SECONDS = 300
_ID_ALPHABET = string.ascii_lowercase + string.digits
_ID_LENGTH = 20


def new_id() -> str:
    """A sandbox's name: `i` and 20 lower-case letters and digits, which nobody can guess."""
    # One draw instead of twenty.
    number = secrets.randbelow(len(_ID_ALPHABET) ** _ID_LENGTH)
    characters = []
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_ID_ALPHABET))
        characters.append(_ID_ALPHABET[digit])
    return "i" + "".join(characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRequest:
    """The contents of a create call.

    Parameters:
        timeout: seconds until the sandbox ends.
        internet: whether it may connect to the internet.
        rules: the addresses that it may connect to.
        limits: those that differ from the server's.
        public_traffic: whether everybody who knows its name may use its ports.
        auto_pause: whether it is paused at its end, instead of killed.
        auto_pause_memory: whether its processes stay when that happens.
        auto_resume: whether traffic to it resumes it if it is paused.
        mcp: whether to have an MCP gateway, which the SDK starts in it; if that fails, the SDK kills the sandbox.
    """

    template: str
    timeout: int = DEFAULT_TIMEOUT_SECONDS
    metadata: Mapping[str, str] = field(default_factory=dict)
    envs: Mapping[str, str] = field(default_factory=dict)
    internet: bool = False
    rules: NetworkRules = field(default_factory=NetworkRules)
    limits: Mapping[str, int] = field(default_factory=dict)
    public_traffic: bool = True
    auto_pause: bool = False
    auto_pause_memory: bool = True
    auto_resume: bool = False
    mcp: bool = False

    def copied(self, *, template: str, timeout: int) -> SandboxRequest:
        """The same request, for another template and another time."""
        return replace(self, template=template, timeout=timeout)


class Sandbox:
    """A running sandbox.

    Parameters:
        sandbox_id: its name.
        spawned: its processes.
        limits: what they may use.
        relay: its connections to the internet.
        end: ends its processes, which takes a moment.
        note_run: called for each run, with whether it is a cell and not a call.
    """

    def __init__(
        self,
        sandbox_id: str,
        spawned: SpawnedSandbox,
        limits: Limits,
        relay: Relay,
        *,
        end: Callable[[], None],
        note_run: Callable[[bool], None],
    ) -> None:
        self.id = sandbox_id
        self.end = end
        self.note_run = note_run
        self.token = secrets.token_hex(32)
        self.traffic_token = ""
        self.spawned = spawned
        self.limits = limits
        self.relay = relay
        self.meter = Meter(spawned.pid, limits)
        self.state: State = "running"
        self.contexts: dict[str, Context] = {}
        self.serial = 0
        self._default_context_ids: dict[str, str] = {}
        self._ended_names: set[str] = set()
        self.request = SandboxRequest(template="base")
        self.started_at = datetime.now(UTC)
        self.end_at = self.started_at
        self._expiry: asyncio.TimerHandle | None = None
        self._connections: set[asyncio.Transport] = set()

    @property
    def guest(self) -> GuestProxy:
        """The server's end of its guest, which leads to its processes and files."""
        return self.spawned.guest

    def assign(self, request: SandboxRequest, serial: int) -> None:
        """Give it to the sender of a request, from now on.

        Parameters:
            request: the request.
            serial: its place in the order of creation.
        """
        self.request = request
        self.traffic_token = secrets.token_hex(32)
        self.serial = serial
        self.started_at = datetime.now(UTC)
        for context in self.contexts.values():
            context.adopt_envs(request.envs)

    def add_context(self, cwd: str = HOME, language: str = PYTHON, name: str = "") -> Context:
        """Make a context. It takes over a kernel that waits unused, if there is one; else the first use starts one."""
        context = Context(self.guest, cwd, self.request.envs, language, name)
        waiting = self.contexts.get(self._default_context_ids.get(PYTHON, ""))
        # A command that is still running may have tampered with a kernel that was there already.
        if waiting is not None and (cwd, language) == (HOME, PYTHON) and not self.guest.processes.has_started:
            context.take_over(waiting)
        self.contexts[context.id] = context
        return context

    def default_context(self, language: str = PYTHON) -> Context:
        """The context for code in a language that names no context."""
        context = self.contexts.get(self._default_context_ids.get(language, ""))
        if context is None:
            context = self.add_context(language=language)
            self._default_context_ids[language] = context.id
        return context

    def named_context(self, name: str) -> Context | None:
        """The context with a name that its user has given it; None once it has ended, for code that comes too late."""
        if name in self._ended_names:
            return None
        return self.contexts.get(name) or self.add_context(name=name)

    def remove_context(self, context: Context) -> None:
        """End a context."""
        del self.contexts[context.id]
        if is_name(context.id):
            self._ended_names.add(context.id)
        context.close()

    def expire_in(self, seconds: float, on_expiry: Callable[[], None]) -> None:
        """Let it end in `seconds` from now, whatever was set before."""
        if self._expiry is not None:
            self._expiry.cancel()
        self.end_at = datetime.now(UTC) + timedelta(seconds=seconds)
        self._expiry = asyncio.get_running_loop().call_later(seconds, on_expiry)

    def connected(self, transport: asyncio.Transport) -> None:
        """Note that a connection serves a request to this sandbox."""
        self._connections.add(transport)

    def disconnected(self, transport: asyncio.Transport) -> None:
        """Note that a connection serves it no longer."""
        self._connections.discard(transport)

    def cut_off(self) -> None:
        """End its time and its connections; an answer that is being sent remains incomplete."""
        if self._expiry is not None:
            self._expiry.cancel()
        for transport in self._connections:
            transport.abort()
        self._connections.clear()
