"""The circumstances of a run, for the reports: its time, versions, place, and command."""

from __future__ import annotations

import os
import platform
import re
import shlex
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.text import excerpt, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_rewardkit.sandboxes.provider import Provider
    from pytest_rewardkit.settings import RunSettings

MAX_COMMAND: Final = 1000
"""Characters of the command that are kept."""
_SECRET: Final = re.compile(r"(?i)([\w-]*(?:key|token|secret|passw|credential|auth)[\w-]*=)[^\s'\"]+")
_SECRET_FOLLOWS: Final = re.compile(r"(?i)--[\w-]*(?:key|token|secret|passw|credential|auth)[\w-]*")
_PASSWORD_IN_ADDRESS: Final = re.compile(r"(://)[^\s/@'\"]+@")
_PACKAGES: Final = ("pytest-rewardkit", "pytest", "e2b", "e2b-code-interpreter")


def now() -> str:
    """Return the time in ISO 8601, to the millisecond, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def versions() -> dict[str, str]:
    """Return the versions of the packages that a run uses, by name."""
    return {**{name: version(name) for name in _PACKAGES}, "python": platform.python_version()}


def facts_of(config: pytest.Config, settings: RunSettings, provider: Provider) -> dict[str, Any]:
    """Return what is known of a run when it begins, without the machine's name or its environment variables."""
    shard = {} if settings.shard is None else {"shard": settings.shard._asdict()}
    workers = getattr(config.option, "tx", None) or ()
    return {
        "started": now(),
        "versions": versions(),
        "host": {"system": platform.system(), "machine": platform.machine(), "processors": os.cpu_count()},
        "sandboxes": {"provider": provider.name, "isolation": provider.isolation},
        "workers": len(workers),
        "options": options_of(settings),
        "command": command_of(config),
        **_seed(config),
        **shard,
    }


def command_of(config: pytest.Config) -> str:
    """Return the command that began the run, without values that look like secrets and without paths on the disk."""
    command = shlex.join(without_secrets(["pytest", *map(str, config.invocation_params.args)]))
    for place, name in ((str(config.invocation_params.dir), "."), (str(Path.home()), "~")):
        if len(place) > 1:
            command = command.replace(place, name)
    return excerpt(command, MAX_COMMAND)


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """Return a command's arguments. Dots replace a value if its option's name suggests a secret."""
    told: list[str] = []
    for before, argument in pairwise(["", *arguments]):
        if _SECRET_FOLLOWS.fullmatch(before) and not argument.startswith("-"):
            told.append("...")
        else:
            told.append(_PASSWORD_IN_ADDRESS.sub(r"\1...@", _SECRET.sub(r"\1...", argument)))
    return told


def _seed(config: pytest.Config) -> dict[str, str]:
    """Return the seed of shuffled tests, if pytest-randomly or pytest-random-order shuffled them."""
    for option in ("randomly_seed", "random_order_seed"):
        # Without pytest-random-order's own option there is a seed but no shuffling.
        shuffles = option == "randomly_seed" or getattr(config.option, "random_order_bucket", None)
        if shuffles and (seed := getattr(config.option, option, None)) is not None:
            return {"seed": one_line(str(seed), 60)}
    return {}


def options_of(settings: RunSettings) -> dict[str, Any]:
    """Return the options that are set or have a default, by name."""
    found = {name: value for name, value in settings._asdict().items() if value is not None}
    if settings.shard is not None:
        found["shard"] = f"{settings.shard.number}/{settings.shard.of}"
    return found
