"""One container with a local server in it, run by an attached client of the engine."""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.container.image import LABEL
from pytest_rewardkit.local.container.lifeline import FAREWELL, PULSE
from pytest_rewardkit.local.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_rewardkit.local.container.engine import Engine

READY_PREFIX: Final = "rewardkit-ready "
"""The beginning of the line by which the server reports that it is up; a JSON object follows."""

START_SECONDS: Final = 180.0
"""To the engine a container is one of many that want the processors, so on a busy machine it gets little of them."""
END_SECONDS: Final = 15.0
LINE_CHARACTERS: Final = 1000

RIGHTS: Final = (
    # Isolation `full` needs user namespaces, and mounting in them. The container's user is an ordinary one, so these
    # options give away nothing else.
    "--user=1000:1000",
    "--env=HOME=/tmp",
    "--security-opt=seccomp=unconfined",
    "--security-opt=systempaths=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=label=disable",
)


def server_command(image: str, arguments: Sequence[str]) -> list[str]:
    """The words after the options of `run`: the image, and the local server's command line in it."""
    return ["--entrypoint=python", image, "-P", "-m", "pytest_rewardkit.local", *arguments]


class Container:
    """A container that starts, runs, and ends at `end`.

    Parameters:
        engine: the engine that runs it.
        options: more options of the engine's `run`.
        image: an image that has this package.
        arguments: the server's arguments.
        port: the server's port, which is published on loopback under the same number.
        environment: the variables that it gets, such as its key.
        log: called with each line that the server and the engine's client write.
    """

    def __init__(
        self,
        engine: Engine,
        options: Sequence[str],
        image: str,
        arguments: Sequence[str],
        *,
        port: int,
        environment: Mapping[str, str],
        log: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._name = f"{LABEL}-{secrets.token_hex(6)}"
        self._log = log
        self._ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.ended = threading.Event()
        """Set when the client has ended, and so the container, if the engine works properly."""
        self._client = subprocess.Popen(
            [
                *(engine.program, "run", "--rm", "--init", "--interactive"),
                *(f"--name={self._name}", f"--label={LABEL}", f"--publish=127.0.0.1:{port}:{port}"),
                # Their values are in the client's environment, not on the command line.
                *(f"--env={name}" for name in environment),
                *(*RIGHTS, *options, *server_command(image, ["serve", "--container", f"--port={port}", *arguments])),
            ],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A terminal's Ctrl-C must not reach it, because pytest still has to end its sandboxes then.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        threading.Thread(target=self._read, name="container-output", daemon=True).start()

    def ready(self) -> dict[str, Any]:
        """The server's report that it is up; waits for it.

        Raises:
            ContainerError: the container ended instead, or took too long.
        """
        try:
            text = self._ready.get(timeout=START_SECONDS)
        except queue.Empty:
            raise ContainerError(f"the container was not ready within {START_SECONDS:g} s") from None
        if text is None:
            raise ContainerError("the container ended before it was ready")
        message: dict[str, Any] = json.loads(text)
        return message

    def pulse(self) -> None:
        """Tell the server that its owner is alive."""
        self._write(PULSE)

    def farewell(self) -> None:
        """Tell the server to end."""
        self._write(FAREWELL)
        with suppress(OSError):
            self._pipe.close()

    def end(self) -> None:
        """End the remaining processes and wait for their end, for a limited time."""
        self.farewell()
        if not self.ended.wait(END_SECONDS):
            self._client.kill()
        with suppress(subprocess.TimeoutExpired):
            self._client.wait(END_SECONDS)
        if self._client.returncode != 0:  # the client may have died without its container
            with suppress(ContainerError):
                self._engine.call("rm", "--force", self._name)

    @property
    def _pipe(self) -> Any:
        return self._client.stdin

    def _write(self, content: bytes) -> None:
        with suppress(OSError, ValueError):  # the client has ended, or the pipe is closed
            self._pipe.write(content)
            self._pipe.flush()

    def _read(self) -> None:
        output = self._client.stdout
        assert output is not None
        with output:
            while line := output.readline(LINE_CHARACTERS):
                text = line.decode(errors="replace").rstrip()
                if text.startswith(READY_PREFIX):
                    self._ready.put(text.removeprefix(READY_PREFIX))
                else:
                    self._log(text)
        self._ready.put(None)
        self.ended.set()
