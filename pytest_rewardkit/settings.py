"""What the user asked for, read once for a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from pytest_rewardkit.ledger.modes import CHECKS
from pytest_rewardkit.options import CONTAINER_OPTIONS, LIMIT_OPTIONS, LIMITS, OPTIONS

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.shard import Shard
    from pytest_rewardkit.local.container.options import ContainerOptions

# This module is loaded in every session: a named tuple is made in a tenth of a data class's time.


class RunSettings(NamedTuple):
    """What the user asked for, resolved once for a session."""

    enabled: bool
    """Whether this run reports rewards (``--rewardkit``)."""
    provider: str
    """Where sandboxes come from: auto, e2b, local or docker."""
    sandbox_scope: Any
    """How long one sandbox lives: function, class, module or session."""
    isolation: str
    """Which isolation local sandboxes must have: auto, strict or none."""
    docker_command: str | None
    """The command of the container engine of the docker provider; None for docker, else podman."""
    docker_image: str | None
    """The image of the docker provider; None for one that is built."""
    docker_packages: str | None
    """What the image that is built has beside this package."""
    docker_options: str | None
    """More options of the engine's run."""
    max_sandboxes: int | None
    """How many sandboxes may be alive at once over all workers; None for no bound."""
    create_rate: float | None
    """How many sandboxes may be created a second over all workers; None for no bound."""
    quota: tuple[int, float] | None
    """Both bounds, as an account has them, where the two do not say otherwise; None for none."""
    max_sandbox_seconds: float | None
    """How long all sandboxes may live together; None for no bound."""
    max_cost: float | None
    """How many dollars all sandboxes may cost; None for no bound."""
    vcpu_price: float | None
    """What a virtual processor of a sandbox costs, in dollars an hour; None for what the provider is known to ask."""
    gib_price: float | None
    """What a GiB of memory of a sandbox costs, in dollars an hour; None for what the provider is known to ask."""
    memory_mb: int
    """The memory of a local sandbox in MiB."""
    processes: int
    """How many processes and threads a local sandbox may have."""
    disk_mb: int
    """The size of a local sandbox's files in MiB."""
    open_files: int
    """How many files a process of a local sandbox may have open."""
    output_mb: int
    """How much output of a run or a command in a local sandbox is passed on, in MiB."""
    threshold: float | None
    """The reward from which tests pass that name no threshold; None for what pyproject.toml says, else 1.0."""
    fail_under: float | None
    """The mean reward under which the run fails; None for no gate."""
    confidence: float | None
    """At which confidence gates decide, by intervals; None to take means and rates as they are."""
    baseline: tuple[str, ...] | None
    """The results files of earlier runs to compare with."""
    pair_by: str | None
    """What the same tests of two runs have in common: row, or the name of a parameter; None for their node ids."""
    fail_on: str | None
    """What fails the run beside gates: regression, which is a loss against the baseline; None for nothing."""
    stored: tuple[str, ...] | None
    """The results file of a run to decide and report again, instead of running anything; or those of its shards."""
    shard: Shard | None
    """Which of how many shards this run is; None for all tests."""
    durations: str | None
    """The file by whose durations tests are split; None for the one that pytest-split writes, where there is one."""
    resume: str | None
    """The results file of a run of which only what is missing or unscored is run."""
    results: str | None
    """The file that gets a line for each attempt as it ends."""
    history: str | None
    """The folder in which runs are kept, and beside whose runs this one is shown."""
    junit_properties: bool
    """Whether rewards stand among the properties of tests in JUnit files and other reports."""
    html: str | None
    """The file that gets the HTML report."""
    ctrf: str | None
    """The file that gets the report in the Common Test Report Format."""
    harbor: str | None
    """The folder in which Harbor's verifier looks for what a run earned."""
    artifacts: str | None
    """The directory that gets a folder for each test of which something is kept."""
    artifacts_when: str
    """Of which tests: failure, always or off."""
    candidates: str | None
    """The file in which what models gave is kept, and from which it is given again."""
    candidates_mode: str
    """Whether models are asked: auto, record or replay."""
    models: tuple[str, ...] | None
    """The models for each of which tests run; None for those that markers name."""
    rescore: str | None
    """The results file, folder of artifacts or file of candidates of which candidates are scored again."""
    selfcheck: tuple[str, ...] | None
    """By what graders are checked, in place of candidates: references, attacks, mutants or flakes; None for nothing."""
    selfcheck_limit: int
    """With how many candidates each grader is tried at most, for each check."""

    @classmethod
    def of(cls, config: pytest.Config) -> RunSettings:
        """Return the session's settings. Raises pytest.UsageError where an option is wrong."""
        settings = config.stash.get(_KEY, None)
        if settings is None:
            settings = cls(**{option.name: option.resolve(config) for option in OPTIONS})
            if set(settings.selfcheck or ()) & set(CHECKS):
                # Graders have rewards, too.
                settings = settings._replace(enabled=True)
            config.stash[_KEY] = settings
        return settings

    def limits(self) -> dict[str, int]:
        """Return the limits of local sandboxes, by name."""
        return {name: getattr(self, name) for name in LIMITS}

    def container(self) -> ContainerOptions:
        """Return what the container of the docker provider is made of."""
        from pytest_rewardkit.local.container.options import ContainerOptions

        return ContainerOptions(**{option.name: getattr(self, option.name) or "" for option in CONTAINER_OPTIONS})

    def changed_limits(self) -> dict[str, int]:
        """Return those of `limits` that are not as they are where nobody says anything."""
        defaults = {option.name: option.default for option in LIMIT_OPTIONS}
        return {name: limit for name, limit in self.limits().items() if limit != defaults[name]}


_KEY: Final = pytest.StashKey[RunSettings]()
