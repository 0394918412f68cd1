"""Chooses a run's provider from the options and from what works on this machine."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING, cast

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.local.container.options import ContainerOptions
from pytest_rewardkit.sandboxes.absent import ABSENT
from pytest_rewardkit.sandboxes.servers import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_rewardkit.sandboxes.docker import ServerInContainer
    from pytest_rewardkit.sandboxes.provider import Provider, Server

PROVIDERS = ("auto", "e2b", "local", "docker")


def choose(
    name: str,
    environ: Mapping[str, str],
    *,
    isolation: str = "auto",
    options: ContainerOptions | None = None,
    works: Callable[[], bool] | None = None,
) -> str:
    """Return the provider that `name` stands for.

    With `auto` it is E2B if there is a key, else the local server if it works, else a local server in a container if a
    container engine answers, else `ABSENT`.

    Parameters:
        name: one of `PROVIDERS`, or what this function has returned.
        environ: the environment to look for `E2B_API_KEY` in.
        isolation: the isolation that local sandboxes must have.
        options: of the container; None for those from the environment.
        works: whether local sandboxes work; None to find out.

    Raises:
        RewardkitUsageError: `name` is not a provider, or it is `e2b` and there is no key.
    """
    if name not in (*PROVIDERS, ABSENT):
        raise RewardkitUsageError(f"unknown sandbox provider {name!r}; use one of {', '.join(PROVIDERS)}")
    has_key = bool(environ.get("E2B_API_KEY"))
    if name == "e2b" and not has_key:
        raise RewardkitUsageError(
            "the e2b provider needs a key: set E2B_API_KEY (https://e2b.dev/dashboard), "
            "or use --rewardkit-provider=local, which needs none"
        )
    if name != "auto":
        return name
    if has_key:
        return "e2b"
    return _own(works or partial(_works, isolation), options or ContainerOptions.of_environment(environ))


def resolve(
    name: str,
    *,
    environ: Mapping[str, str],
    server: Server | ServerInContainer | None,
    run_id: str,
    isolation: str,
    say: Callable[[str], None] = tell,
) -> Provider:
    """Return the provider object for a run.

    Parameters:
        name: what `choose` has returned.
        environ: the environment, for E2B's addresses.
        server: the run's own server; E2B's provider needs none.
        run_id: the mark by which this run recognises its own cloud sandboxes.
        isolation: `auto`, `strict` or `none`; only the local provider uses it.
        say: told about steps that take long.

    Raises:
        RewardkitUsageError: the choice cannot work here; the text says what does.
    """
    if name == "e2b":
        from pytest_rewardkit.sandboxes.e2b import E2BProvider

        return E2BProvider(environ=environ, run_id=run_id)
    if server is None:
        raise RewardkitUsageError(f"the {name} provider needs the run's server, and there is none on this worker")
    if name == "docker":
        from pytest_rewardkit.sandboxes.docker import DockerProvider

        return DockerProvider(cast("ServerInContainer", server), say)
    from pytest_rewardkit.sandboxes.local import LocalProvider

    return LocalProvider(server=server, isolation=isolation, say=say)


def _works(isolation: str) -> bool:
    from pytest_rewardkit.sandboxes.servers import local_works

    return local_works(isolation)


def _own(works: Callable[[], bool], options: ContainerOptions) -> str:
    from pytest_rewardkit.local.container.engine import COMMANDS
    from pytest_rewardkit.sandboxes.servers import engine_answers

    linux = sys.platform == "linux"
    # Looking for a command is cheap; trying a level or an engine is not.
    commands = [options.docker_command] if options.docker_command else COMMANDS
    if not any(map(shutil.which, commands)):
        return "local" if linux else ABSENT
    if linux and works():
        return "local"
    if engine_answers(options):
        return "docker"
    return "local" if linux else ABSENT
