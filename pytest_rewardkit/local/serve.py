"""The server process: its listeners, the sandboxes behind them, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pytest_rewardkit.local.api.control import ControlPlane
from pytest_rewardkit.local.api.gateway import Gateway
from pytest_rewardkit.local.api.one_port import divert
from pytest_rewardkit.local.faults.rules import NONE, parse
from pytest_rewardkit.local.server.table import SandboxTable

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from pytest_rewardkit.local.server.launch import ForkServerProcess
    from pytest_rewardkit.local.settings import ServerSettings

    Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# Errors of handlers are logged where they are caught. This logger would only add clients' data that is not HTTP, and
# the other one the subprotocols that clients offer and nobody takes.
_http_log = logging.getLogger("pytest_rewardkit.local.http")
_http_log.disabled = True
logging.getLogger("aiohttp.websocket").disabled = True

KEEPALIVE_SECONDS = 640.0
"""How long an idle connection is kept: longer than the SDK's 300 s, which does not expect the server to close first."""

_HTTP: Final[dict[str, Any]] = {"keepalive_timeout": KEEPALIVE_SECONDS, "access_log": None, "logger": _http_log}

SHUTDOWN_SECONDS = 0.5
"""How long requests may take to end after their sandboxes; then they are cut off. aiohttp takes 0 for no limit."""


async def serve(
    control: socket.socket,
    traffic: socket.socket | None,
    *,
    api_key: str,
    settings: ServerSettings,
    launched: ForkServerProcess,
    owner: int | None,
    lifeline: Callable[[asyncio.Event], None] | None = None,
    on_serving: Callable[[SandboxTable], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT, or the owner's end; nothing remains when this returns.

    Parameters:
        control: the listener of the control plane.
        traffic: the listener of the sandboxes' traffic; None if `control` takes it too.
        api_key: the key that requests to the control plane must carry.
        settings: limits.
        launched: a fork server that is booting already.
        owner: the process that owns the server and holds its standard input pipe: when the pipe closes or the process
            ends, the server ends. None if it has no owner.
        lifeline: for a server without an owning process; sets the event that it gets when the server has to end.
        on_serving: called when connections are accepted.
    """
    _raise_limit_of_open_files()
    stop = asyncio.Event()
    _stop_at_signals(stop)
    if owner is not None:
        _stop_with_owner(stop, owner)
    if lifeline is not None:
        lifeline(stop)
    table = SandboxTable(settings, launched)
    table.warm_up()
    listeners = [control] if traffic is None else [control, traffic]
    control_plane = ControlPlane(table, api_key, f"localhost:{listeners[-1].getsockname()[1]}")
    gateway = Gateway(table)
    handle: Handler = gateway.handle
    outermost: list[Middleware] = []
    if settings.faults != NONE:
        from pytest_rewardkit.local.faults.cloud import BadCloud

        cloud = BadCloud(table, parse(settings.faults), settings.faults_seed)
        handle, outermost = cloud.before(gateway.handle), [cloud.middleware()]
    if traffic is None:
        runners = _one_runner(control_plane.application(*outermost, divert(gateway)))
    else:
        runners = _two_runners(control_plane.application(*outermost), handle)
    try:
        for runner, listener in zip(runners, listeners, strict=True):
            await runner.setup()
            await web.SockSite(runner, listener, backlog=1024).start()
        # Objects from the imports stay, so the collector need not look at them again and again.
        gc.freeze()
        if on_serving is not None:
            await on_serving(table)
        await stop.wait()
    finally:
        await table.close()
        for runner in runners:
            await runner.cleanup()


# If a client goes away, its handler is cancelled; so an execution learns that nobody waits for it. Data for a sandbox's
# own port is passed on unchanged, so nothing is decompressed.


def _two_runners(application: web.Application, handle: Handler) -> list[web.BaseRunner]:
    traffic = web.Server(handle, handler_cancellation=True, auto_decompress=False, **_HTTP)
    return [
        web.AppRunner(application, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS, **_HTTP),
        web.ServerRunner(traffic, shutdown_timeout=SHUTDOWN_SECONDS),
    ]


def _one_runner(application: web.Application) -> list[web.BaseRunner]:
    return [
        web.AppRunner(
            application, handler_cancellation=True, auto_decompress=False, shutdown_timeout=SHUTDOWN_SECONDS, **_HTTP
        )
    ]


def _raise_limit_of_open_files() -> None:
    # Each sandbox takes several; the usual soft limit is for programs that cannot handle more than 1024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _stop_at_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _stop_with_owner(stop: asyncio.Event, owner: int) -> None:
    loop = asyncio.get_running_loop()

    def stdin_readable() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()

    loop.add_reader(0, stdin_readable)
    # A process that the owner has forked may keep the pipe open after the owner's end.
    try:
        descriptor = os.pidfd_open(owner)
    except ProcessLookupError:
        stop.set()
        return
    loop.add_reader(descriptor, _owner_ended, stop, descriptor)


def _owner_ended(stop: asyncio.Event, descriptor: int) -> None:
    asyncio.get_running_loop().remove_reader(descriptor)
    with contextlib.suppress(OSError):
        os.close(descriptor)
    stop.set()
