"""The pytest entry point: options, markers, hook specifications, and the objects for each role of a session.

It is loaded in every session of every project that has the package installed, so it imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit.plain_imports import import_plainly

import_plainly()

from pytest_rewardkit import fixtures  # noqa: E402 - found by Python from here on
from pytest_rewardkit.candidates import fixtures as asking  # noqa: E402
from pytest_rewardkit.datasets import plugin as datasets  # noqa: E402
from pytest_rewardkit.option import add_options  # noqa: E402
from pytest_rewardkit.options import OPTIONS  # noqa: E402
from pytest_rewardkit.run.worker.plugin import WorkerPlugin  # noqa: E402
from pytest_rewardkit.settings import RunSettings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_rewardkit.run.worker.failures import Failures
    from pytest_rewardkit.scorers.languages.table import Language

_MARKERS: Final = (
    "reward(*, threshold=None, weight=1.0, group=None, must_pass=False, attempts=1, reduce='mean'): the test earns a "
    "reward in [0, 1] and passes if it reaches the threshold.",
    "sandbox(*, template=None, timeout=None, envs=None, metadata=None, allow_internet_access=None, ..., "
    "memory_mb=None, processes=None, disk_mb=None, open_files=None, output_mb=None): keywords of e2b's Sandbox.create "
    "for the test's sandboxes, and limits of local ones.",
    datasets.MARKER,
    asking.MARKER,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser, OPTIONS)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from pytest_rewardkit import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    settings = RunSettings.of(config)
    _check_quota(settings)
    _check_workers(config, settings)
    config.pluginmanager.register(fixtures, "rewardkit-fixtures")
    config.pluginmanager.register(datasets, "rewardkit-datasets")
    if settings.sandbox_scope != "function":
        from pytest_rewardkit.run.worker.shared_sandboxes import SharedSandboxes

        config.pluginmanager.register(SharedSandboxes(settings.sandbox_scope), fixtures.SHARED_SANDBOXES)
    config.pluginmanager.register(asking, "rewardkit-asking")
    failures = _failures(config, settings) if settings.enabled else None
    worker = WorkerPlugin(failures, _threshold(config, settings), _languages(config))
    config.pluginmanager.register(worker, "rewardkit-recording")
    if settings.selfcheck:
        from pytest_rewardkit.selfcheck.plugin import SelfCheck

        config.pluginmanager.register(SelfCheck(settings), "rewardkit-selfcheck")
    if failures is None:
        for option in OPTIONS:
            if option.alone and config.getoption(option.ini) is not None:
                raise pytest.UsageError(f"{option.flag} {option.alone} without --rewardkit")
        return
    _check_destinations(config, settings)
    fixtures.lend_sandboxes(config)
    _report_to_allure(config)
    _split(config, settings)
    _keep_candidates(config, settings)
    if settings.resume is not None and not config.getoption("collectonly"):
        from pytest_rewardkit.run.controller.resume import Resume

        config.pluginmanager.register(Resume(config, settings.resume), "rewardkit-resume")
    if not hasattr(config, "workerinput"):
        from pytest_rewardkit.errors import RewardkitUsageError
        from pytest_rewardkit.run.controller.registration import register_reports

        try:
            register_reports(config, settings)
        except RewardkitUsageError as error:
            raise pytest.UsageError(str(error)) from None


def _check_quota(settings: RunSettings) -> None:
    if settings.max_sandboxes is None and settings.create_rate is None and settings.quota is None:
        return
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.run.quota import quota_of

    try:
        quota_of(settings)
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None


def _check_destinations(config: pytest.Config, settings: RunSettings) -> None:
    if hasattr(config, "workerinput") or config.getoption("collectonly"):
        return
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.run.controller.destinations import check_destinations

    try:
        check_destinations(config, settings)
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None


def _check_workers(config: pytest.Config, settings: RunSettings) -> None:
    """Refuse what workers on other machines lack; pytest-xdist has listed the workers by now."""
    if all(spec == "popen" for spec in config.getoption("tx", None) or ()) or hasattr(config, "workerinput"):
        return
    from pytest_rewardkit.run.controller.remote_workers import RemoteWorkers, is_remote

    if any(map(is_remote, config.getoption("tx"))):
        config.pluginmanager.register(RemoteWorkers(config, settings), "rewardkit-remote-workers")


def _report_to_allure(config: pytest.Config) -> None:
    if config.getoption("--alluredir", None):
        from pytest_rewardkit.run.worker.allure_results import AllureResults

        config.pluginmanager.register(AllureResults(), "rewardkit-allure")


def _keep_candidates(config: pytest.Config, settings: RunSettings) -> None:
    if settings.selfcheck or settings.stored is not None:
        return
    from pytest_rewardkit.candidates.registration import register_candidates
    from pytest_rewardkit.errors import RewardkitUsageError

    try:
        register_candidates(config, settings)
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None


def _split(config: pytest.Config, settings: RunSettings) -> None:
    if settings.shard is None:
        return
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.run.worker.shard import ShardSelection

    try:
        config.pluginmanager.register(ShardSelection(config, settings.shard, settings), "rewardkit-shard")
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None


def _threshold(config: pytest.Config, settings: RunSettings) -> float | None:
    """Return the reward from which tests of this run pass that name no threshold; None if it sets none."""
    path = config.rootpath / "pyproject.toml"
    if not _speaks(path):
        return settings.threshold
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.pyproject import UnheardGates, asks_in, threshold_in

    try:
        if not settings.enabled and asks_in(path):
            config.pluginmanager.register(UnheardGates(path), "rewardkit-unheard-gates")
        return threshold_in(path) if settings.threshold is None else settings.threshold
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None


def _languages(config: pytest.Config) -> Mapping[str, Language]:
    """Return the languages that this run's project adds, by name."""
    path = config.rootpath / "pyproject.toml"
    if not _speaks(path):
        return {}
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.pyproject import languages_in, templates_in

    try:
        templates_in(path)  # reports mistakes in them before anything runs
        return languages_in(path)
    except RewardkitUsageError as error:
        raise pytest.UsageError(str(error)) from None


def _speaks(path: Path) -> bool:
    """Whether a pyproject.toml may say anything to this package."""
    # This runs in every session of every project. Parsing the file, or importing a parser, takes longer.
    try:
        return b"rewardkit" in path.read_bytes()
    except OSError:
        return False


def _failures(config: pytest.Config, settings: RunSettings) -> Failures:
    from pytest_rewardkit.run.worker.failures import Failures

    failures = Failures(config, settings)
    if failures.keeps_artifacts:
        config.pluginmanager.register(failures, "rewardkit-failures")
    return failures
