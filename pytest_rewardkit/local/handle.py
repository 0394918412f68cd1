"""The owner's handle of a local server that starts on first use. Standard library only.

The handle binds the listeners and starts nothing. At the first connection it starts the server's process, which
inherits the listeners; until the process is up, connections wait in the kernel's queue. If the process ends or does not
answer any more, the next connection brings another one with the same addresses, but without the sandboxes. The process
ends at `stop`, and with its owner, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Self

from pytest_rewardkit.local.errors import UnsupportedPlatformError
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.local.vigil import PATIENCE, Vigil, end, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from pytest_rewardkit.local.first_fork_server import FirstForkServer
    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.local.vigil import Patience

KEY_VARIABLE = "REWARDKIT_LOCAL_API_KEY"
"""How the process gets its key: only the user can read an environment, but everybody can read a command line."""

STACK_BYTES = 512 * 1024
"""The stack of the waiting thread. With the usual 8 MiB, everything else in a large process takes 4 % longer."""
LOG_BYTES = 4000
LAST_WORDS = 1500
"""How many bytes of a dead server's log are shown."""
OBITUARY = "rewardkit: the local server "
"""The beginning of lines in the log that report a server's fate."""
COMMAND = (sys.executable, "-P", "-m", "pytest_rewardkit.local")


def require_platform() -> None:
    """Refuse platforms on which the local server cannot work.

    Raises:
        UnsupportedPlatformError: this is not Linux.
    """
    if sys.platform != "linux":
        raise UnsupportedPlatformError(
            "local sandboxes are made of Linux's namespaces, Landlock and seccomp, and this is "
            f"{sys.platform}; set E2B_API_KEY to use E2B's sandboxes, or start Docker, OrbStack, Colima or Podman "
            "to have local ones in a container"
        )


class LocalServer:
    """A local server, started by its first connection.

    Use it as a context manager, or call `stop` at the end.

    Parameters:
        control: the listener of the control plane.
        traffic: the listener of the sandboxes' traffic.
        settings: the server's settings.
        on_death: called in one of the handle's threads with the fate of a server that was not told to end.
        patience: how long to wait for the server.
        command: the program of the server.
    """

    def __init__(
        self,
        control: socket.socket,
        traffic: socket.socket,
        settings: ServerSettings,
        *,
        on_death: Callable[[str], None] = lambda _: None,
        patience: Patience = PATIENCE,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._on_death = on_death
        self._patience = patience
        self._command = command
        self._control = control
        self._traffic = traffic
        self._settings = settings
        self._owner = os.getpid()
        self._api_key = "e2b_" + secrets.token_hex(20)
        self._control_port: int = control.getsockname()[1]
        self._traffic_port: int = traffic.getsockname()[1]
        # In memory: the log must also exist where no file can be made, and leave no file behind.
        self._log = os.memfd_create("rewardkit-local-server.log", os.MFD_CLOEXEC)
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._first: FirstForkServer | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._thread = threading.Thread(target=self._keep, name="local-server", daemon=True)

    @classmethod
    def listen(
        cls,
        settings: ServerSettings | None = None,
        *,
        on_death: Callable[[str], None] = lambda _: None,
        patience: Patience = PATIENCE,
        command: Sequence[str] = COMMAND,
    ) -> LocalServer:
        """Bind the listeners on loopback, and wait for the first connection in a separate thread.

        Parameters:
            settings, on_death, patience, command: as for the class.

        Raises:
            UnsupportedPlatformError: this is not Linux.
        """
        require_platform()
        control = socket.create_server(("127.0.0.1", 0), backlog=1024)
        traffic = socket.create_server(("127.0.0.1", 0), backlog=1024)
        server = cls(
            control, traffic, settings or ServerSettings(), on_death=on_death, patience=patience, command=command
        )
        usual = threading.stack_size(STACK_BYTES)
        try:
            server._thread.start()
        finally:
            threading.stack_size(usual)
        return server

    def boot(self) -> None:
        """Boot the fork server of the later process: this takes longer than all else, and finds out the isolation."""
        from pytest_rewardkit.local.first_fork_server import FirstForkServer

        if self._first is None:
            options = self._settings.guest_options(self._settings.preloaded())
            self._first = FirstForkServer(options, log=self._log)

    def find_isolation(self) -> Isolation:
        """How well the sandboxes are isolated.

        Raises:
            NoSuchLevelError: there can be no sandboxes.
        """
        self.boot()
        assert self._first is not None
        return self._first.isolation()

    @property
    def started(self) -> bool:
        """Whether the process has been started."""
        return self._process is not None

    def environment(self) -> dict[str, str]:
        """The variables that lead E2B's SDKs to this server."""
        return variables(self._control_port, self._traffic_port, self._api_key)

    def log(self) -> str:
        """The end of the process's standard error."""
        if self._log == -1:
            return ""
        return self._end_of_log(0, LOG_BYTES)

    def log_path(self) -> str:
        """The path of the log for other processes of this user, while this process lives."""
        return f"/proc/{self._owner}/fd/{self._log}"

    def stop(self) -> None:
        """End the process, if there is one, and wait for its end. Harmless if repeated, or in a forked child."""
        if os.getpid() != self._owner or self._wake_write.fileno() == -1:
            return
        self._wake_write.close()
        self._thread.join()
        if self._process is not None:
            _end(self._process, self._patience.end)
        if self._first is not None:
            self._first.end()
        os.close(self._log)
        self._log = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _keep(self) -> None:
        """Start a server at the first connection, and again whenever it is gone, until `stop`."""
        # Clients wait as long as any process holds the listeners, so this thread must not end and leave them open.
        with self._control, self._traffic, self._wake_read:
            failures = 0
            while failures < self._patience.failures:
                if self._wake_read.fileno() in readable([self._control, self._traffic, self._wake_read], None):
                    return
                self._log_start = os.fstat(self._log).st_size
                try:
                    self._process = self._spawn()
                except OSError as error:
                    self._bury(f"could not be started: {error}", "no other one is")
                    return
                vigil = Vigil(self._process, self._control_port, self._patience)
                became = vigil.keep(self._wake_read)
                if became is None:
                    return
                assert self._process.stdin is not None
                self._process.stdin.close()
                failures = 0 if vigil.served else failures + 1
                another = failures < self._patience.failures
                self._bury(became, "another one takes its place" if another else "no other one is started")

    def _bury(self, became: str, then: str) -> None:
        last_words = self._end_of_log(self._log_start, LAST_WORDS).strip()
        text = f"{became}; {then}"
        os.write(self._log, f"{OBITUARY}{text}\n".encode())
        self._on_death(f"the local server {text}" + (f"; the end of its log:\n{last_words}" if last_words else ""))

    def _end_of_log(self, start: int, most: int) -> str:
        size = os.fstat(self._log).st_size
        return os.pread(self._log, most, max(size - most, start)).decode(errors="replace")

    def _spawn(self) -> subprocess.Popen[bytes]:
        descriptors = [self._control.fileno(), self._traffic.fileno()]
        arguments = ["--fds", ",".join(map(str, descriptors)), *self._settings.arguments()]
        fork_server = self._first.take() if self._first is not None else None
        if fork_server is not None:
            descriptors.append(fork_server.sock.fileno())
            arguments += ["--fork-server", fork_server.to_argument()]
        try:
            return subprocess.Popen(
                [*self._command, "serve", *arguments],
                pass_fds=descriptors,
                env={**os.environ, **self._settings.environment(), KEY_VARIABLE: self._api_key},
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        finally:
            if fork_server is not None:
                fork_server.sock.close()


def variables(control_port: int, traffic_port: int, api_key: str) -> dict[str, str]:
    """The variables that lead E2B's SDKs to a server on loopback."""
    return {
        "E2B_API_KEY": api_key,
        "E2B_API_URL": f"http://127.0.0.1:{control_port}",
        "E2B_SANDBOX_URL": f"http://127.0.0.1:{traffic_port}",
        "E2B_DOMAIN": f"localhost:{traffic_port}",
        "E2B_DEBUG": "false",  # if true, the SDK asks no control plane
    }


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    if process.poll() is not None:
        return
    ended = os.pidfd_open(process.pid)
    try:
        if readable([ended], seconds):
            process.wait()
        else:
            end(process, ended, seconds)
    finally:
        os.close(ended)
