"""A local server in a container: replaced when it dies, gone with its owner. Runs on any platform."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

from pytest_rewardkit.local.container.container import RIGHTS, Container, server_command
from pytest_rewardkit.local.container.engine import ContainerError, Engine
from pytest_rewardkit.local.container.image import ensure_image
from pytest_rewardkit.local.container.lifeline import PULSE_SECONDS
from pytest_rewardkit.local.container.wheel import version
from pytest_rewardkit.local.handle import variables

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pytest_rewardkit.local.container.options import ContainerOptions
    from pytest_rewardkit.local.settings import Settings

PORTS_TO_TRY: Final = 3
"""A port that was free when it was looked for may be taken when the engine comes to it."""

_LACKING: Final = re.compile(
    r"No module named '?pytest_rewardkit|python\W+(exec|executable)\b.*(failed|not found)|exec python failed"
)
"""What a container says that has no Python, or no pytest-rewardkit in it; engines and their inits differ."""

REPLACEMENTS: Final = 5
"""How many containers of one run may die before no more are started."""


class ContainerServer:
    """A local server in a container, at one address from `open` to `stop`; a context manager too.

    Parameters:
        start: starts a container with the server's port and key.
        say: told when a container has died.
    """

    def __init__(self, start: Callable[[int, str], Container], place: str, say: Callable[[str], None]) -> None:
        self._start = start
        self.place = place
        """Where it is, for people."""
        self._say = say
        self._owner = os.getpid()
        self._api_key = "e2b_" + secrets.token_hex(20)
        self._stopping = threading.Event()
        self._container, self._port, self.isolation = self._started()
        self._keeper = threading.Thread(target=self._keep, name="container-server", daemon=True)
        self._keeper.start()

    @classmethod
    def open(cls, settings: Settings, options: ContainerOptions, say: Callable[[str], None]) -> ContainerServer:
        """Find the engine, have the image, and start the server.

        Parameters:
            settings: what to start the server with.
            options: the engine, the image, and how to run it.
            say: told what takes long, and when a container has died.

        Raises:
            ContainerError: one of these failed; the text says why.
        """
        engine = Engine.find(options.docker_command)
        image = _image(engine, options, say)
        more = shlex.split(options.docker_options)

        def start(port: int, api_key: str) -> Container:
            return Container(engine, more, image, settings.arguments(), port=port, api_key=api_key)

        return cls(start, f"a container of {engine.name}", say)

    @property
    def started(self) -> bool:
        """Whether there is a server, as of `LocalServer`."""
        return True

    def environment(self) -> dict[str, str]:
        """The variables that lead E2B's SDKs to this server."""
        return variables(self._port, self._port, self._api_key)

    def log(self) -> str:
        """The end of what the container has written."""
        return self._container.log()

    def stop(self) -> None:
        """End the container, and wait for that. Harmless when repeated, or in a forked child."""
        if os.getpid() != self._owner or self._stopping.is_set():
            return
        self._stopping.set()
        self._container.end()
        self._keeper.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _started(self) -> tuple[Container, int, str]:
        for attempt in range(PORTS_TO_TRY):
            port = _free_port()
            container = self._start(port, self._api_key)
            try:
                return container, port, _checked(container)
            except ContainerError as error:
                container.end()
                if attempt == PORTS_TO_TRY - 1 or not _is_about_a_port(str(error)):
                    raise
        raise AssertionError("unreachable")

    def _keep(self) -> None:
        for _ in range(REPLACEMENTS):
            while not self._container.ended.wait(PULSE_SECONDS):
                self._container.pulse()
            self._container.end()
            if self._stopping.is_set():
                return
            self._say(f"the container of the sandboxes has ended, and another is started: {self._container.log()}")
            self._container = self._start(self._port, self._api_key)
            try:
                _checked(self._container)
            except ContainerError as error:
                self._container.end()
                if not self._stopping.is_set():
                    self._say(f"there are no more sandboxes: {error}")
                return
        self._say(f"there are no more sandboxes: {REPLACEMENTS} containers have ended")


def examine(settings: Settings, options: ContainerOptions, say: Callable[[str], None]) -> tuple[int, str]:
    """`doctor` in a container: its exit status, and what it says.

    Raises:
        ContainerError: there can be no such container.
    """
    engine = Engine.find(options.docker_command)
    image = _image(engine, options, say)
    command = server_command(image, ["doctor", *settings.arguments()])
    answer = engine.call("run", "--rm", "--init", *RIGHTS, *shlex.split(options.docker_options), *command)
    return answer.returncode, answer.stdout.rstrip()


def _image(engine: Engine, options: ContainerOptions, say: Callable[[str], None]) -> str:
    return options.docker_image or ensure_image(engine, shlex.split(options.docker_packages), say)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_about_a_port(text: str) -> bool:
    return any(words in text for words in ("port is already allocated", "address already in use"))


def _checked(container: Container) -> str:
    """The level of isolation in a container that is ready, and in which this very version runs."""
    try:
        ready = container.ready()
    except ContainerError as error:
        if _LACKING.search(str(error)):
            raise ContainerError(
                f"the image has no pytest-rewardkit that `python` finds; install pytest-rewardkit=={version()} in it, "
                f"or leave it out, and an image is built: {error}"
            ) from None
        raise
    if ready["version"] != version():
        raise ContainerError(
            f"the image has pytest-rewardkit {ready['version']}, and this is {version()}: have the same in both"
        )
    return str(ready["isolation"])
