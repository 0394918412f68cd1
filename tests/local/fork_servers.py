"""Faulty fork servers, and tables of sandboxes that must cope with them."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pytest_rewardkit.local.server.launch import ForkServerProcess, launch
from pytest_rewardkit.local.server.table import SandboxTable
from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from pytest_rewardkit.local.wire.bounds import Bounds

    Launcher = Callable[[Sequence[str]], ForkServerProcess]

_READY = """
import json, socket, struct, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))
def send(message):
    body = json.dumps(message).encode()
    sock.sendall(struct.pack("!IH", len(body), 0) + body)
def ready():
    send({"event": "ready", "level": "none", "layers": {}, "gaps": [], "boot_ms": 1})
"""

SILENT = "sock.recv(1)"
"""Is silent, and ends with the server."""
DEAF = "import signal; signal.pause()"
"""Is silent, and does not end with the server."""
GARBAGE = "sock.sendall(b'\\xff' * 100); time.sleep(1000)"
NO_GREETING = "send({'event': 'ready', 'level': 7}); time.sleep(1000)"
REFUSING = "send({'event': 'failed', 'message': 'not on this machine'}); sys.exit(1)"
DYING = "sys.exit(3)"
READY_AND_DYING = "ready(); sock.recv(1); sys.exit(3)"
READY_AND_SILENT = "ready(); signal = __import__('signal'); signal.pause()"
READY_AND_GARBAGE = "ready(); sock.recv(1); sock.sendall(b'\\xff' * 100); time.sleep(1000)"
READY_AND_WRONG = "ready(); sock.recv(1); send({'id': 1, 'ok': {'pid': 'none'}}); time.sleep(1000)"
# It keeps open the sandbox's channel, whose other end it has received.
NEVER_READY_SANDBOXES = "ready(); sock.recvmsg(65536, 4096); send({'id': 1, 'ok': {'pid': 1000000}}); time.sleep(1000)"


class Launches:
    """Starts fork servers that run these scripts, one after another, and then real ones.

    Parameters:
        scripts: Python code that runs once they have the channel.
        forever: repeat the last script instead.
    """

    def __init__(self, *scripts: str, forever: bool = False) -> None:
        self._scripts = list(scripts)
        self._forever = forever
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, options: Sequence[str]) -> ForkServerProcess:
        if not self._scripts:
            launched = launch(options)
        else:
            script = self._scripts[0] if self._forever and len(self._scripts) == 1 else self._scripts.pop(0)
            launched = _launch_script(script)
        self.processes.append(launched.process)
        return launched


def _launch_script(script: str) -> ForkServerProcess:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", _READY + script, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
    return ForkServerProcess(process, ours)


@asynccontextmanager
async def table_of(launches: Launches, bounds: Bounds, *, warm: int = 0) -> AsyncIterator[SandboxTable]:
    settings = ServerSettings(warm_sandboxes=warm, preload="none")
    table = SandboxTable(settings, launches(settings.guest_options(())), bounds=bounds, launcher=launches)
    try:
        yield table
    finally:
        await table.close()
    assert all(process.returncode is not None for process in launches.processes)
