"""The circumstances of a run, for the reports: when, with what, where, and how it was asked for."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

    from pytest_rewardkit.sandboxes.provider import Provider
    from pytest_rewardkit.settings import RunSettings

_PACKAGES: Final = ("pytest-rewardkit", "pytest", "e2b", "e2b-code-interpreter")


def now() -> str:
    """Return the time in ISO 8601, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of what a run is made of, by name."""
    return {**{name: version(name) for name in _PACKAGES}, "python": platform.python_version()}


def facts_of(config: pytest.Config, settings: RunSettings, provider: Provider) -> dict[str, Any]:
    """Return what is known of a run when it begins. It holds no name of the machine, and none of its variables."""
    shard = {} if settings.shard is None else {"shard": settings.shard._asdict()}
    workers = getattr(config.option, "tx", None) or ()
    return {
        "started": now(),
        "versions": versions(),
        "host": {"system": platform.system(), "machine": platform.machine(), "processors": os.cpu_count()},
        "sandboxes": {"provider": provider.name, "isolation": provider.isolation},
        "workers": len(workers),
        "options": options_of(settings),
        **shard,
    }


def options_of(settings: RunSettings) -> dict[str, Any]:
    """Return the options that were given or have a default, by name."""
    found = {name: value for name, value in settings._asdict().items() if value is not None}
    if settings.shard is not None:
        found["shard"] = f"{settings.shard.number}/{settings.shard.of}"
    return found
