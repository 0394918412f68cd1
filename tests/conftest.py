"""What every test shares: a clean environment, and pytest run inside pytest, alone and under pytest-xdist."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

# pytester forgets after each test what that imported, and the SDK's protocol buffers cannot be imported twice by one
# process: they are imported here once for all.
import e2b_code_interpreter  # noqa: F401
import pytest
from hypothesis import HealthCheck, settings

from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest_plugins = ["pytester", "completeness"]

# A busy machine is slow, and that is no fault of what is tested.
settings.register_profile("no wall clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no wall clock")

# What runs in the background of a shell ignores Ctrl-C, and so would all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--isolation", default="auto", metavar="LEVEL", help="The isolation level of the local servers that tests share"
    )


@pytest.fixture(autouse=True)
def _numbers_of_usual_length() -> Iterator[None]:
    """Tests run here what else runs in sandboxes, where whole numbers of any length are read from then on."""
    before = sys.get_int_max_str_digits()
    yield
    sys.set_int_max_str_digits(before)


@pytest.fixture(scope="session")
def shared_settings(request: pytest.FixtureRequest) -> ServerSettings:
    """What a local server that tests share is started with."""
    return ServerSettings(isolation=request.config.getoption("--isolation"))


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


@pytest.fixture(scope="session")
def template_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where templates are made, for all tests of a run."""
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


# What else is installed only makes each inner pytest, and each of its workers, slower to start.
_PLUGINS = ("-p", "pytest_rewardkit.plugin", "-p", "xdist", "-p", "pytest_rerunfailures")


@pytest.fixture(params=[(), ("-n2",)], ids=["alone", "xdist"])
def plugin_args(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The plugins of the inner pytest, and how it distributes its tests."""
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
