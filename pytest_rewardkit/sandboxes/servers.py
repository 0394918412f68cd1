"""The server of a run's own sandboxes: on this machine, or in a container."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.sandboxes.absent import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.container.options import ContainerOptions
    from pytest_rewardkit.local.container.server import ContainerServer
    from pytest_rewardkit.local.handle import LocalServer
    from pytest_rewardkit.local.settings import ServerSettings


def tell(text: str) -> None:
    """Tell the user about a step that takes long."""
    print(f"rewardkit: {text}", file=sys.stderr, flush=True)


def open_server(
    name: str,
    settings: ServerSettings | None = None,
    options: ContainerOptions | None = None,
    *,
    say: Callable[[str], None] = tell,
    on_death: Callable[[str], None] = tell,
) -> LocalServer | ContainerServer | None:
    """Return the server that a provider needs; None for E2B's. The caller stops it.

    Parameters:
        name: of the provider, as `choose` returns it.
        settings: for the server; None for the defaults and the templates of the nearest pyproject.toml.
        options: of the container, if it is one; None for those from the environment.
        say: told about steps that take long.
        on_death: told what happened to a server that ended without being asked to.

    Raises:
        RewardkitUsageError: such a server does not work here; the text says why.
    """
    settings = settings or _settings_here()
    if name in ("local", ABSENT):
        if reason := no_server_here():
            raise RewardkitUsageError(f"there are no local sandboxes here: {reason}")
        from pytest_rewardkit.local.handle import LocalServer

        return LocalServer.listen(settings, on_death=on_death)
    if name == "docker":
        from pytest_rewardkit.local.container.options import ContainerOptions
        from pytest_rewardkit.local.container.server import ContainerServer
        from pytest_rewardkit.local.errors import ContainerError

        try:
            return ContainerServer.open(
                settings, options or ContainerOptions.of_environment(os.environ), say=say, on_death=on_death
            )
        except ContainerError as error:
            raise RewardkitUsageError(f"the docker provider cannot work here: {error}") from None
    return None


def _settings_here() -> ServerSettings:
    from pytest_rewardkit.local.settings import ServerSettings
    from pytest_rewardkit.local.templates.named_template import NONE

    here = Path.cwd()
    found = next((path for folder in (here, *here.parents) if (path := folder / "pyproject.toml").is_file()), None)
    try:
        return ServerSettings(templates=str(found) if found is not None else NONE)
    except ValueError as error:
        raise RewardkitUsageError(str(error)) from None


def no_server_here() -> str:
    """Return why this platform cannot have a local server; "" if it can."""
    from pytest_rewardkit.local.errors import UnsupportedPlatformError
    from pytest_rewardkit.local.handle import require_platform

    try:
        require_platform()
    except UnsupportedPlatformError as error:
        return str(error)
    return ""


def local_works(isolation: str) -> bool:
    """Whether this machine, which runs Linux, supports the sandboxes of the local provider."""
    from pytest_rewardkit.local.errors import NoSuchLevelError
    from pytest_rewardkit.local.level import find_level

    try:
        find_level(isolation)
    except NoSuchLevelError:
        return False
    return True


def engine_answers(options: ContainerOptions) -> bool:
    """Whether a container engine answers."""
    from pytest_rewardkit.local.container.engine import Engine
    from pytest_rewardkit.local.errors import ContainerError

    try:
        Engine.find(options.docker_command)
    except ContainerError:
        return False
    return True
