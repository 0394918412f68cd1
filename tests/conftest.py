"""What every test shares: a clean environment, and pytest run inside pytest, alone and under pytest-xdist."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

# What a CI service, a user's shell or an outer pytest may have set, and what would change what an inner one prints.
_FOREIGN = (
    "CI",
    "BUILD_NUMBER",
    "GITHUB_",
    "E2B_",
    "PYTEST_ADDOPTS",
    "PYTEST_REWARDKIT",
    "PYTEST_XDIST",
    "FORCE_COLOR",
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(params=[(), ("-n2",)], ids=["alone", "xdist"])
def plugin_args(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the inner pytest distributes its tests."""
    args: tuple[str, ...] = request.param
    return args


@pytest.fixture
def run(pytester: pytest.Pytester, plugin_args: tuple[str, ...]) -> Callable[..., pytest.RunResult]:
    """Run the inner pytest with ``--rewardkit``."""
    return lambda *args: pytester.runpytest("--rewardkit", "-p", "no:asyncio", *plugin_args, *args)
