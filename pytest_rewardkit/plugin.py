"""The pytest entry point: options, markers, hook specifications, and the objects that play each role of a session.

Loaded in every session of every project in which the package is installed, so it imports nothing heavy.
"""

from __future__ import annotations

from typing import Final

import pytest

from pytest_rewardkit import fixtures
from pytest_rewardkit.datasets import plugin as datasets
from pytest_rewardkit.run.recording import Recording
from pytest_rewardkit.settings import OPTIONS, Settings, add_options

REPORTER: Final = "rewardkit-reporter"
"""The plugin name of the object that collects results; it exists with ``--rewardkit``, where the run ends."""

_MARKERS: Final = (
    "reward(*, threshold=None, weight=1.0, group=None, must_pass=False): the test earns a reward in [0, 1] and passes "
    "from the threshold on.",
    "sandbox(*, template=None, timeout=None, envs=None, metadata=None, allow_internet_access=None, ...): keywords of "
    "e2b's Sandbox.create for the test's sandboxes.",
    datasets.MARKER,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from pytest_rewardkit import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    settings = Settings.of(config)
    config.pluginmanager.register(fixtures, "rewardkit-fixtures")
    config.pluginmanager.register(datasets, "rewardkit-datasets")
    config.pluginmanager.register(Recording(enabled=settings.enabled), "rewardkit-recording")
    if not settings.enabled:
        for option in OPTIONS:
            if option.alone and config.getoption(option.ini) is not None:
                raise pytest.UsageError(f"{option.flag} {option.alone} without --rewardkit")
    elif not hasattr(config, "workerinput"):
        _report(config, settings)


def _report(config: pytest.Config, settings: Settings) -> None:
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.provision import Provision
    from pytest_rewardkit.run.asked import judge_of
    from pytest_rewardkit.run.reporter import Reporter

    try:
        provider = Provision.of(config).provider
        judge = judge_of(config, settings)
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None
    reporter = Reporter(config, settings, provider.describe(), judge)
    config.pluginmanager.register(reporter, REPORTER)
    if config.getoption("collectonly") or (settings.results is None and settings.html is None):
        return
    from pytest_rewardkit.run.facts import facts_of

    facts = facts_of(config, settings, provider)
    if settings.results is not None:
        from pytest_rewardkit.run.results_file import ResultsFile

        config.pluginmanager.register(ResultsFile(config, settings.results, reporter, facts), "rewardkit-results")
    if settings.html is not None:
        from pytest_rewardkit.run.html_report import HtmlReport

        config.pluginmanager.register(HtmlReport(config, settings.html, reporter, facts), "rewardkit-html")
