"""Registers the plugins of the process where results end, according to the settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reports.results.shards import Joined
from pytest_rewardkit.run.controller.configuration import judge_of, stored_in, told_run, with_options_of
from pytest_rewardkit.run.controller.html_plugin import HtmlPluginColumn
from pytest_rewardkit.run.controller.live import Live
from pytest_rewardkit.run.controller.plugin import ControllerPlugin
from pytest_rewardkit.run.provision import Provision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from pytest_rewardkit.reports.results.file import Stored
    from pytest_rewardkit.run.controller.run_history import RunHistory
    from pytest_rewardkit.run.controller.shard_report import ShardReport
    from pytest_rewardkit.settings import RunSettings

CONTROLLER: Final = "rewardkit-reporter"
"""The plugin name of the object that collects results; it exists with ``--rewardkit``, in the process where the run
ends."""


def register_reports(config: pytest.Config, settings: RunSettings) -> None:
    """Register the plugins that report the session, in the process where it ends.

    Raises RewardkitUsageError, or pytest.UsageError, for what is not possible here.
    """
    stored = told_run(config, settings)
    carried = stored_in(config, settings.resume, "--rewardkit-resume")
    if stored is not None and carried is not None:
        raise RewardkitUsageError("--rewardkit-from runs nothing, and --rewardkit-resume does: use one of them")
    if isinstance(stored, Joined):
        settings = with_options_of(stored, settings)
    judge = judge_of(config, settings, joins_shards=isinstance(stored, Joined))
    controller = ControllerPlugin(config, settings, _describe(config, stored), judge)
    register = config.pluginmanager.register
    register(controller, CONTROLLER)
    if config.getoption("collectonly"):
        return
    if stored is not None:
        from pytest_rewardkit.run.controller.stored_run import StoredRun

        register(StoredRun(config, stored, controller), "rewardkit-stored-run")
    if hasattr(config.hook, "pytest_html_results_table_row"):
        register(HtmlPluginColumn(controller), "rewardkit-html-plugin")
    register(Live(config, controller), "rewardkit-live")
    _register_usage(config, stored, controller)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from pytest_rewardkit.run.controller.github_report import GitHubReport

        register(GitHubReport(config, controller), "rewardkit-github")
    _register_json(config, settings, controller)
    shard = _shard(config, settings, controller)
    if settings.results is None and settings.html is None and settings.history is None:
        return
    facts = _facts(config, settings, stored)
    history = _history(config, settings, controller, facts)
    if settings.results is not None:
        from pytest_rewardkit.run.controller.results_file import ResultsFile

        file = ResultsFile(config, settings.results, controller, facts, carried=carried, shard=shard)
        register(file, "rewardkit-results")
    if settings.html is not None:
        from pytest_rewardkit.run.controller.html_report import HtmlReport

        register(HtmlReport(config, settings.html, controller, facts, history, stored), "rewardkit-html")


def _register_usage(config: pytest.Config, stored: Stored | Joined | None, controller: ControllerPlugin) -> None:
    if stored is not None:
        return
    provision = Provision.of(config)
    if (meter := provision.meter) is not None:
        from pytest_rewardkit.run.controller.usage_report import UsageReport

        report = UsageReport(provision, meter)
        controller.deciders.append(report.decisions)
        config.pluginmanager.register(report, "rewardkit-usage")


def _register_json(config: pytest.Config, settings: RunSettings, controller: ControllerPlugin) -> None:
    if settings.ctrf is None and settings.harbor is None:
        return
    from pytest_rewardkit.run.controller.ctrf_file import CtrfFile

    register = config.pluginmanager.register
    if settings.ctrf is not None:
        register(CtrfFile(config, settings.ctrf, controller), "rewardkit-ctrf")
    if settings.harbor is not None:
        from pytest_rewardkit.run.controller.harbor_folder import HarborFolder

        register(CtrfFile(config, f"{settings.harbor}/ctrf.json", controller), "rewardkit-harbor-ctrf")
        register(HarborFolder(config, settings.harbor, controller), "rewardkit-harbor")


def _history(
    config: pytest.Config, settings: RunSettings, controller: ControllerPlugin, facts: Mapping[str, Any]
) -> RunHistory | None:
    # A shard's mean is not comparable with whole runs. The joined run is kept instead.
    if settings.history is None or settings.shard is not None:
        return None
    from pytest_rewardkit.run.controller.run_history import RunHistory

    history = RunHistory(config, settings.history, controller, facts)
    config.pluginmanager.register(history, "rewardkit-history")
    return history


def _describe(config: pytest.Config, stored: Stored | Joined | None) -> Callable[[], str]:
    """Return a function that says where sandboxes come from."""
    if stored is None:
        return Provision.of(config).provider.describe
    described = f"results of {stored.name}, nothing is run"
    return lambda: described


def _shard(config: pytest.Config, settings: RunSettings, controller: ControllerPlugin) -> ShardReport | None:
    if settings.shard is None:
        return None
    from pytest_rewardkit.run.controller.shard_report import ShardReport

    shard = ShardReport(config, settings.shard, controller, leaves_results=settings.results is not None)
    config.pluginmanager.register(shard, "rewardkit-shard-report")
    return shard


def _facts(config: pytest.Config, settings: RunSettings, stored: Stored | Joined | None) -> Mapping[str, Any]:
    from pytest_rewardkit.run.controller.facts import facts_of, options_of

    if isinstance(stored, Joined):
        return {**stored.run, "options": options_of(settings)}
    if stored is None:
        return facts_of(config, settings, Provision.of(config).provider)
    facts = {name: fact for name, fact in stored.run.items() if name not in ("v", "type")}
    return {**facts, "options": options_of(settings)}
