"""Shared by every test: a clean environment, and pytest run inside pytest, alone and under pytest-xdist."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

# After each test, pytester forgets that test's imports, and one process cannot import the SDK's protocol buffers
# twice: they are imported here once for all.
import e2b_code_interpreter  # noqa: F401
import pytest
from hypothesis import HealthCheck, settings

from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest_plugins = ["pytester", "completeness"]

# A busy machine is slow, which is not the tested code's fault.
settings.register_profile("no wall clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no wall clock")

# A shell's background process ignores Ctrl-C, and so would all processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--isolation", default="auto", metavar="LEVEL", help="The isolation level of the local servers that tests share"
    )


@pytest.fixture(autouse=True)
def _numbers_of_usual_length() -> Iterator[None]:
    """Tests run code here that usually runs in sandboxes, and that removes the limit on digits of whole numbers."""
    before = sys.get_int_max_str_digits()
    yield
    sys.set_int_max_str_digits(before)


@pytest.fixture(scope="session")
def shared_settings(request: pytest.FixtureRequest) -> ServerSettings:
    """The settings of a local server that tests share."""
    return ServerSettings(isolation=request.config.getoption("--isolation"))


# Variables from a CI service, a user's shell or an outer pytest that would change the output of an inner pytest.
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


@pytest.fixture(scope="session")
def template_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where templates are built, for all tests of a run."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if hasattr(request.config, "workerinput") else own) / "rewardkit-cache"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, template_cache: Path) -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REWARDKIT_CACHE", str(template_cache))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


# Other installed plugins only make each inner pytest, and each of its workers, slower to start.
_PLUGINS = ("-p", "pytest_rewardkit.plugin", "-p", "xdist", "-p", "pytest_rerunfailures")


@pytest.fixture(params=[(), ("-n2",)], ids=["alone", "xdist"])
def plugin_args(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Arguments for the inner pytest: its plugins, and how it distributes its tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return (*_PLUGINS, *request.param)


@pytest.fixture
def plain(pytester: pytest.Pytester, plugin_args: tuple[str, ...]) -> Callable[..., pytest.RunResult]:
    """Run the inner pytest."""
    return lambda *args: pytester.runpytest(*plugin_args, *args)


@pytest.fixture
def run(plain: Callable[..., pytest.RunResult]) -> Callable[..., pytest.RunResult]:
    """Run the inner pytest with ``--rewardkit``."""
    return lambda *args: plain("--rewardkit", *args)
