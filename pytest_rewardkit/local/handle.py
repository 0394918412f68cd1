"""The owner's handle of a local server that starts when it is first used. Standard library only.

The handle binds the listeners and starts nothing. The first connection makes it start the server's process, which gets
the listeners; until it is up, connections wait in the kernel's queue. The process ends with `stop`, and with its owner
however that ends.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Self

from pytest_rewardkit.local.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

KEY_VARIABLE = "REWARDKIT_LOCAL_API_KEY"
"""How the process learns its key: an environment is readable by the user alone, a command line by everybody."""

STOP_SECONDS = 10.0
STACK_BYTES = 512 * 1024
"""The stack of the thread that waits. With one of the usual 8 MiB, all else in a large process takes 4 % longer."""
LOG_BYTES = 4000


class UnsupportedPlatformError(RuntimeError):
    """The local server cannot work on this machine."""


def require_platform() -> None:
    """Refuses where the local server cannot work.

    Raises:
        UnsupportedPlatformError: this is not Linux.
    """
    if sys.platform != "linux":
        raise UnsupportedPlatformError(
            "local sandboxes are made of Linux's namespaces, Landlock and seccomp, and this is "
            f"{sys.platform}; set E2B_API_KEY to use E2B's sandboxes, or run in a Linux container"
        )


class LocalServer:
    """A local server, started by its first connection.

    Use it as a context manager, or call `stop` in the end.
    """

    def __init__(self, control: socket.socket, traffic: socket.socket, settings: Settings) -> None:
        self._control = control
        self._traffic = traffic
        self._settings = settings
        self._owner = os.getpid()
        self._api_key = "e2b_" + secrets.token_hex(20)
        self._control_port: int = control.getsockname()[1]
        self._traffic_port: int = traffic.getsockname()[1]
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._thread = threading.Thread(target=self._start_at_first_connection, name="local-server", daemon=True)

    @classmethod
    def listen(cls, settings: Settings | None = None) -> LocalServer:
        """Bind the listeners, on loopback, and wait for the first connection in a thread of its own.

        Parameters:
            settings: what to start the server with.

        Raises:
            UnsupportedPlatformError: this is not Linux.
        """
        require_platform()
        control = socket.create_server(("127.0.0.1", 0), backlog=1024)
        traffic = socket.create_server(("127.0.0.1", 0), backlog=1024)
        server = cls(control, traffic, settings or Settings())
        usual = threading.stack_size(STACK_BYTES)
        try:
            server._thread.start()
        finally:
            threading.stack_size(usual)
        return server

    @property
    def started(self) -> bool:
        """Whether the process has been started."""
        return self._process is not None

    def environment(self) -> dict[str, str]:
        """The variables that lead E2B's SDKs to this server."""
        return variables(self._control_port, self._traffic_port, self._api_key)

    def log(self) -> str:
        """The end of what the process has written to its standard error."""
        if self._log is None:
            return ""
        descriptor = self._log.fileno()
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, LOG_BYTES, max(size - LOG_BYTES, 0)).decode(errors="replace")

    def stop(self) -> None:
        """End the process, if there is one, and wait for that. Harmless when repeated, or in a forked child."""
        if os.getpid() != self._owner or self._wake_write.fileno() == -1:
            return
        self._wake_write.close()
        self._thread.join()
        if self._process is not None:
            _end(self._process)
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _start_at_first_connection(self) -> None:
        listeners = [self._control, self._traffic]
        with self._control, self._traffic, self._wake_read:
            readable, _, _ = select.select([*listeners, self._wake_read], [], [])
            # The server's end must be the listeners' end, so that a dead server refuses instead of not answering.
            if self._wake_read not in readable:
                self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        descriptors = (self._control.fileno(), self._traffic.fileno())
        fds = ",".join(map(str, descriptors))
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "pytest_rewardkit.local", "serve", "--fds", fds, *self._settings.arguments()],
            pass_fds=descriptors,
            env={**os.environ, KEY_VARIABLE: self._api_key},
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )


def variables(control_port: int, traffic_port: int, api_key: str) -> dict[str, str]:
    """The variables that lead E2B's SDKs to a server on loopback."""
    return {
        "E2B_API_KEY": api_key,
        "E2B_API_URL": f"http://127.0.0.1:{control_port}",
        "E2B_SANDBOX_URL": f"http://127.0.0.1:{traffic_port}",
        "E2B_DOMAIN": f"localhost:{traffic_port}",
        "E2B_DEBUG": "false",  # when it is true, the SDK asks no control plane
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    descriptor = os.pidfd_open(process.pid) if process.poll() is None else None
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    if descriptor is not None:
        ended, _, _ = select.select([descriptor], [], [], STOP_SECONDS)
        os.close(descriptor)
        if not ended:
            process.kill()
    process.wait()
