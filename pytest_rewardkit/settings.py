"""The user's settings, read once per session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from pytest_rewardkit.ledger.modes import CHECKS
from pytest_rewardkit.options import CONTAINER_OPTIONS, LIMIT_OPTIONS, LIMITS, OPTIONS

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.shard import Shard
    from pytest_rewardkit.local.container.options import ContainerOptions

# This module is loaded in every session, and a named tuple is created in a tenth of a data class's time.


class RunSettings(NamedTuple):
    """The user's settings, resolved once per session."""

    enabled: bool
    """Whether this run reports rewards (``--rewardkit``)."""
    provider: str
    """Where sandboxes come from: auto, e2b, local or docker."""
    sandbox_scope: Any
    """How long one sandbox lives: function, class, module or session."""
    isolation: str
    """The isolation that local sandboxes must have: auto, strict or none."""
    docker_command: str | None
    """The command of the container engine of the docker provider; None for docker, else podman."""
    docker_image: str | None
    """The image of the docker provider; None to build one."""
    docker_packages: str | None
    """Packages in the built image in addition to this one."""
    docker_options: str | None
    """Further options for the engine's run command."""
    max_sandboxes: int | None
    """How many sandboxes may be alive at once over all workers; None for no bound."""
    create_rate: float | None
    """How many sandboxes may be created per second over all workers; None for no bound."""
    quota: tuple[int, float] | None
    """Both bounds, as an account has them, unless the two options above set them; None for no bounds."""
    max_sandbox_seconds: float | None
    """How many seconds all sandboxes may live together; None for no bound."""
    max_cost: float | None
    """How many dollars all sandboxes may cost; None for no bound."""
    vcpu_price: float | None
    """The price of a virtual processor of a sandbox, in dollars per hour; None for the provider's known price."""
    gib_price: float | None
    """The price of a GiB of memory of a sandbox, in dollars per hour; None for the provider's known price."""
    memory_mb: int
    """The memory of a local sandbox in MiB."""
    processes: int
    """How many processes and threads a local sandbox may have."""
    disk_mb: int
    """The size of a local sandbox's files in MiB."""
    open_files: int
    """How many files a process of a local sandbox may have open."""
    output_mb: int
    """How much output of a run or a command a local sandbox passes on, in MiB."""
    threshold: float | None
    """The reward from which tests pass that name no threshold; None for pyproject.toml's, or else 1.0."""
    fail_under: float | None
    """The mean reward under which the run fails; None for no gate."""
    confidence: float | None
    """The confidence at which gates decide, by intervals; None to use means and rates themselves."""
    baseline: tuple[str, ...] | None
    """The results files of earlier runs to compare with."""
    pair_by: str | None
    """What pairs the same tests of two runs: row, or the name of a parameter; None for their node ids."""
    fail_on: str | None
    """What fails the run in addition to gates: regression, a loss against the baseline; None for nothing."""
    stored: tuple[str, ...] | None
    """The results file of a run, or those of its shards, to decide and report again instead of running tests."""
    shard: Shard | None
    """The number of this run among its shards; None for all tests."""
    durations: str | None
    """The file of durations by which tests are split; None for pytest-split's file, if it exists."""
    resume: str | None
    """The results file of an earlier run; only tests that are missing or unscored there run."""
    results: str | None
    """The file that receives a line for each attempt as it ends."""
    history: str | None
    """The folder that keeps runs, which are shown beside this run."""
    junit_properties: bool
    """Whether rewards are among the properties of tests in JUnit files and other reports."""
    html: str | None
    """The file that receives the HTML report."""
    ctrf: str | None
    """The file that receives the report in the Common Test Report Format."""
    harbor: str | None
    """The folder in which Harbor's verifier looks for the run's rewards."""
    artifacts: str | None
    """The directory that receives a folder for each test with artifacts."""
    artifacts_when: str
    """Which tests have artifacts: failure, always or off."""
    candidates: str | None
    """The file that keeps models' answers, and from which they are replayed."""
    candidates_mode: str
    """Whether models are asked: auto, record or replay."""
    models: tuple[str, ...] | None
    """The models for each of which tests run; None for those of markers."""
    rescore: str | None
    """The results file, folder of artifacts or file of candidates whose candidates are scored again."""
    selfcheck: tuple[str, ...] | None
    """The checks of graders that replace the judging of candidates: references, attacks, mutants or flakes; None for
    none."""
    selfcheck_limit: int
    """The most candidates that each grader is tried with, for each check."""

    @classmethod
    def of(cls, config: pytest.Config) -> RunSettings:
        """Return the session's settings. Raises pytest.UsageError if an option is wrong."""
        settings = config.stash.get(_KEY, None)
        if settings is None:
            settings = cls(**{option.name: option.resolve(config) for option in OPTIONS})
            if set(settings.selfcheck or ()) & set(CHECKS):
                # Graders have rewards too.
                settings = settings._replace(enabled=True)
            config.stash[_KEY] = settings
        return settings

    def limits(self) -> dict[str, int]:
        """Return the limits of local sandboxes, by name."""
        return {name: getattr(self, name) for name in LIMITS}

    def container(self) -> ContainerOptions:
        """Return the options of the docker provider's container."""
        from pytest_rewardkit.local.container.options import ContainerOptions

        return ContainerOptions(**{option.name: getattr(self, option.name) or "" for option in CONTAINER_OPTIONS})

    def changed_limits(self) -> dict[str, int]:
        """Return the limits that differ from their defaults."""
        defaults = {option.name: option.default for option in LIMIT_OPTIONS}
        return {name: limit for name, limit in self.limits().items() if limit != defaults[name]}


_KEY: Final = pytest.StashKey[RunSettings]()
