"""Workers of pytest-xdist on other machines (``--tx ssh=…``, ``--tx socket=…``): refuses what cannot work there.

Each worker has its own local server, or reaches the cloud by its own variables, and sends its records as any worker
does. Files that the run keeps on one machine cannot be shared among several.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.run.provision import Provision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_rewardkit.settings import RunSettings

PACKAGE: Final = "pytest-rewardkit"

OF_ONE_MACHINE: Final = {
    "quota": "sandboxes are counted in files of one machine",
    "max_sandboxes": "sandboxes are counted in files of one machine",
    "create_rate": "creations are counted in files of one machine",
    "max_sandbox_seconds": "sandboxes are noted in a file of one machine",
    "max_cost": "sandboxes are noted in a file of one machine",
    "artifacts": "artifacts would be written on the workers' machines",
    "durations": "each worker would look for the file on its own machine",
    "resume": "each worker would look for the file on its own machine",
}
"""Settings that have no meaning on several machines, and why."""

KEY: Final = "E2B_API_KEY"
ADDRESS: Final = ("E2B_API_URL", "E2B_SANDBOX_URL", "E2B_DOMAIN")

ANSWER_SECONDS: Final = 60

_QUESTION: Final = """
import os
from importlib import metadata
try:
    version = metadata.version(channel.receive())
except metadata.PackageNotFoundError:
    version = None
key, *address = channel.receive()
channel.send((version, key in os.environ, [os.environ.get(name) for name in address]))
"""


def is_remote(spec: str) -> bool:
    """Whether a worker with this specification, as for ``--tx``, may be on another machine."""
    # The specification may begin with a number of workers and "*".
    parts = spec.rpartition("*")[2].split("//")
    return not any(part.startswith("popen") for part in parts) or any(part.startswith("via=") for part in parts)


class RemoteWorkers:
    """Refuses a run before any test runs if its workers cannot do what the user asked for."""

    def __init__(self, config: pytest.Config, settings: RunSettings) -> None:
        self._config = config
        self._settings = settings

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        for name, reason in OF_ONE_MACHINE.items():
            if getattr(self._settings, name) is not None:
                option = f"--rewardkit-{name.replace('_', '-')}"
                raise pytest.UsageError(
                    f"{option} and workers of other machines (--tx): {reason}; "
                    "give each machine a run of its own, as one of --rewardkit-shard"
                )

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        if not is_remote(str(gateway.spec)):
            return
        try:
            provider = Provision.of(self._config).provider.name
        except RewardkitUsageError as error:
            raise pytest.UsageError(str(error)) from None
        channel = gateway.remote_exec(_QUESTION)
        try:
            channel.send(PACKAGE)
            channel.send((KEY, *ADDRESS))
            answer = channel.receive(ANSWER_SECONDS)
            channel.waitclose(ANSWER_SECONDS)
        except (OSError, EOFError, channel.RemoteError, channel.TimeoutError) as error:
            raise pytest.UsageError(f"worker {gateway.spec}: {type(error).__name__}: {error}") from None
        if missing := missing_there(*answer, provider=provider, environ=os.environ):
            raise pytest.UsageError(f"worker {gateway.spec}: {missing}")


def missing_there(
    found: str | None, has_key: bool, address: Iterable[str | None], *, provider: str, environ: Mapping[str, str]
) -> str:
    """What a worker's machine lacks for this run, as far as it has told; "" if nothing is known to be missing."""
    ours = version(PACKAGE)
    if found != ours:
        has = f"has {PACKAGE} {found}" if found else f"has no {PACKAGE}"
        return f"its Python {has}; install {ours} there, as here"
    if provider != "e2b":
        return ""
    if not has_key:
        return f"{KEY} is not set there; what is set here does not reach it"
    for name, there in zip(ADDRESS, address, strict=True):
        if there != environ.get(name):
            return f"{name} is {there or 'not set'} there, and {environ.get(name) or 'not set'} here"
    return ""
