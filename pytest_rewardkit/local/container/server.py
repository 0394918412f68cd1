"""A local server in a container: it is replaced if it dies, and ends with its owner. Runs on any platform."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

from pytest_rewardkit.local.container.container import RIGHTS, START_SECONDS, Container, server_command
from pytest_rewardkit.local.container.engine import Engine
from pytest_rewardkit.local.container.image import ensure_image
from pytest_rewardkit.local.container.lifeline import PULSE_SECONDS
from pytest_rewardkit.local.container.log import Log
from pytest_rewardkit.local.container.wheel import version
from pytest_rewardkit.local.errors import ContainerError
from pytest_rewardkit.local.handle import KEY_VARIABLE, variables

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pytest_rewardkit.local.container.options import ContainerOptions
    from pytest_rewardkit.local.settings import ServerSettings

    Start = Callable[[int, str, Callable[[str], None]], Container]

PORTS_TO_TRY: Final = 3
"""A port that was free when it was looked up may be taken when the engine uses it."""

NO_OTHER: Final = "no other one is started"

_LACKING: Final = re.compile(
    r"No module named '?pytest_rewardkit|python\W+(exec|executable)\b.*(failed|not found)|exec python failed"
)
"""The message of a container without Python or pytest-rewardkit; engines and their inits differ."""

REPLACEMENTS: Final = 5
"""How many containers of one run may die before no more are started."""


class ContainerServer:
    """A local server in a container, at one address from `open` to `stop`; also a context manager.

    Parameters:
        start: starts a container, given the server's port, its key, and a function for the lines of its log.
        place: where it is, for people.
        on_death: called in one of the handle's threads with the fate of a server that was not told to end.
        port: the server's port; 0 for any.
    """

    def __init__(self, start: Start, place: str, on_death: Callable[[str], None], port: int = 0) -> None:
        self._start = start
        self.place = place
        self._on_death = on_death
        self._log = Log()
        self._owner = os.getpid()
        self._api_key = "e2b_" + secrets.token_hex(20)
        self._stopping = threading.Event()
        try:
            self._container, self._port, self.isolation = self._started(port)
        except BaseException:
            self._log.close()
            raise
        self._keeper = threading.Thread(target=self._keep, name="container-server", daemon=True)
        self._keeper.start()

    @classmethod
    def open(
        cls,
        settings: ServerSettings,
        options: ContainerOptions,
        *,
        say: Callable[[str], None],
        on_death: Callable[[str], None],
        port: int = 0,
    ) -> ContainerServer:
        """Find the engine, provide the image, and start the server.

        Parameters:
            settings: the server's settings.
            options: the engine, the image, and how to run it.
            say: gets messages about slow steps.
            on_death, port: as for the class.

        Raises:
            ContainerError: one of these steps failed; the message says why.
        """
        engine = Engine.find(options.docker_command)
        image = _image(engine, options, say)
        more = shlex.split(options.docker_options)

        def start(port: int, api_key: str, log: Callable[[str], None]) -> Container:
            environment = {**settings.environment(), KEY_VARIABLE: api_key}
            return Container(engine, more, image, settings.arguments(), port=port, environment=environment, log=log)

        return cls(start, f"a container of {engine.name}", on_death, port)

    @property
    def started(self) -> bool:
        """Whether there is a server, as for `LocalServer`."""
        return True

    def environment(self) -> dict[str, str]:
        """The variables that lead E2B's SDKs to this server."""
        return variables(self._port, self._port, self._api_key)

    def log(self) -> str:
        """The end of the container's output."""
        return self._log.end()

    def log_path(self) -> str:
        """The path of the log for other processes of the run; valid until `stop`."""
        return self._log.path

    def stop(self) -> None:
        """End the container and wait for its end. Harmless if repeated, or in a forked child."""
        if os.getpid() != self._owner or self._stopping.is_set():
            return
        self._stopping.set()
        self._container.end()
        self._keeper.join()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _started(self, wanted: int) -> tuple[Container, int, str]:
        for attempt in range(PORTS_TO_TRY):
            port = wanted or _free_port()
            self._log.begin()
            container = self._start(port, self._api_key, self._log.write)
            try:
                return container, port, self._checked(container)
            except ContainerError as error:
                if wanted or attempt == PORTS_TO_TRY - 1 or not _is_about_a_port(str(error)):
                    raise
        raise AssertionError("unreachable")

    def _checked(self, container: Container) -> str:
        """The isolation level in a container that is ready and runs this very version; ends any other container."""
        try:
            return _level(container)
        except ContainerError as error:
            container.end()
            log = self._log.end()
            if _LACKING.search(log):
                raise ContainerError(
                    "the image has no pytest-rewardkit that `python` finds; install "
                    f"pytest-rewardkit=={version()} in it, or name no image, and one is built: {log}"
                ) from None
            raise ContainerError(f"{error}: {log}" if log else str(error)) from None

    def _keep(self) -> None:
        for left in reversed(range(REPLACEMENTS + 1)):
            while not self._container.ended.wait(PULSE_SECONDS):
                self._container.pulse()
            self._container.end()
            if self._stopping.is_set():
                return
            self._bury(
                "in its container has ended", "another one takes its place" if left else "no other one is started"
            )
            if left == 0:
                return
            self._log.begin()
            self._container = self._start(self._port, self._api_key, self._log.write)
            try:
                self._checked(self._container)
            except ContainerError as error:
                if not self._stopping.is_set():
                    self._bury(f"could not be replaced: {error}", NO_OTHER)
                return

    def _bury(self, became: str, then: str) -> None:
        last_words = self._log.end()
        self._log.bury(f"{became.splitlines()[0]}; {then}")
        log = f"; the end of its log:\n{last_words}" if last_words else ""
        self._on_death(f"the local server {became}; {then}{log}")


def examine(settings: ServerSettings, options: ContainerOptions, say: Callable[[str], None]) -> tuple[int, str]:
    """`doctor` in a container: its exit status and its output.

    Raises:
        ContainerError: such a container is not possible.
    """
    engine = Engine.find(options.docker_command)
    image = _image(engine, options, say)
    command = server_command(image, ["doctor", *settings.arguments()])
    more = shlex.split(options.docker_options)
    answer = engine.call("run", "--rm", "--init", *RIGHTS, *more, *command, seconds=START_SECONDS)
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


def _level(container: Container) -> str:
    ready = container.ready()
    if ready["version"] != version():
        raise ContainerError(
            f"the image has pytest-rewardkit {ready['version']}, and this is {version()}: have the same in both"
        )
    return str(ready["isolation"])
