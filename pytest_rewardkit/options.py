"""The options: their names on the command line, in ini files and in the environment, and their valid values.

The command line wins over the ini file, the ini file over the environment, the environment over the default.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit import option_values
from pytest_rewardkit.ledger.modes import REFERENCES, parse_modes

if TYPE_CHECKING:
    from collections.abc import Callable

# This module is loaded in every session, and a plain class is created in a tenth of a data class's time.


class Option:
    """One option with its three names: ``--rewardkit-x-y``, ``rewardkit_x_y`` and ``PYTEST_REWARDKIT_X_Y``."""

    def __init__(
        self,
        name: str,
        flag: str,
        parse: Callable[[str], Any],
        default: Any,
        text: str,
        metavar: str | None = None,
        *,
        alone: str = "",
        several: bool = False,
        without: str | None = None,
    ) -> None:
        self.name = name
        self.flag = flag
        self.parse = parse
        self.default = default
        self.text = text
        self.metavar = metavar
        self.alone = alone
        """Its effect without ``--rewardkit`` on the command line; "" if it has none."""
        self.several = several
        """Whether it may be given several times; in ini files and variables, each value is on its own line."""
        self.without = without
        """Its value if it is given without one; None if it needs a value."""
        self.ini = flag.removeprefix("--").replace("-", "_")
        self.variable = f"PYTEST_{self.ini.upper()}"

    def resolve(self, config: pytest.Config) -> Any:
        if (value := config.getoption(self.ini)) is not None:
            return self._parsed(value, self.flag)
        if value := config.getini(self.ini):
            return self._parsed(value, f"{self.ini} in {config.inipath or 'the ini options'}")
        if value := os.environ.get(self.variable):
            return self._parsed(value, f"{self.variable} in the environment")
        return self.default

    def _parsed(self, value: str | list[str], place: str) -> Any:
        try:
            if self.several:
                lines = value.splitlines() if isinstance(value, str) else value
                return tuple(self.parse(line.strip()) for line in lines if line.strip())
            assert isinstance(value, str)
            return self.parse(value.strip())
        except ValueError as error:
            raise pytest.UsageError(f"{place}: {error}") from None


def add_options(parser: pytest.Parser) -> None:
    """Add every option to the command line, and its twin to ini files."""
    group = parser.getgroup("rewardkit", "rewards for model-written code")
    for option in OPTIONS:
        if option.metavar is None:
            group.addoption(option.flag, dest=option.ini, action="store_const", const="true", help=option.text)
        elif option.without is not None:
            group.addoption(
                option.flag,
                dest=option.ini,
                nargs="?",
                const=option.without,
                metavar=option.metavar,
                help=option.text,
            )
        else:
            action = "append" if option.several else "store"
            group.addoption(option.flag, dest=option.ini, action=action, metavar=option.metavar, help=option.text)
        parser.addini(option.ini, f"{option.text} ({option.flag})", type="string", default="")


def _limit(name: str, default: int, text: str) -> Option:
    flag = f"--rewardkit-{name.replace('_', '-')}"
    return Option(name, flag, option_values.limit(name), default, f"{text} (default: {default})", "N")


def _text(name: str, text: str, metavar: str) -> Option:
    return Option(name, f"--rewardkit-{name.replace('_', '-')}", str, None, text, metavar)


# As pytest's own help texts, these begin with a capital letter and end without a period.
LIMIT_OPTIONS: Final = (
    _limit("memory_mb", 1024, "Memory of a local sandbox, all its processes together, in MiB"),
    _limit("processes", 128, "Processes and threads of a local sandbox"),
    _limit("disk_mb", 512, "Size of a local sandbox's files in MiB"),
    _limit("open_files", 1024, "Open files of a process in a local sandbox"),
    _limit("output_mb", 16, "Output of one run or command in a local sandbox, in MiB; the rest is dropped"),
)
LIMITS: Final = tuple(option.name for option in LIMIT_OPTIONS)
"""The names of the limits of a local sandbox, equal to those of the local server's settings."""

CONTAINER_OPTIONS: Final = (
    _text(
        "docker_command",
        "Command of the container engine for the docker provider (default: docker, else podman)",
        "NAME",
    ),
    _text("docker_image", "Image for the docker provider, with this package; without it, one is built", "NAME"),
    _text("docker_packages", "Packages for the image that is built, as for pip, separated by spaces", "PACKAGES"),
    _text("docker_options", "Extra options of docker run for the docker provider, as one text", "OPTIONS"),
)

OPTIONS: Final = (
    Option(
        "enabled", "--rewardkit", option_values.switch, False, "Report rewards, and let gates decide the exit status"
    ),
    Option(
        "provider",
        "--rewardkit-provider",
        option_values.choice("auto", "e2b", "local", "docker"),
        "auto",
        "Where sandboxes come from: auto (e2b if E2B_API_KEY is set, else local, else docker), e2b, local or docker",
        "NAME",
    ),
    Option(
        "sandbox_scope",
        "--rewardkit-sandbox-scope",
        option_values.choice("function", "class", "module", "session"),
        "function",
        "How long one sandbox lives: function (the default), class, module or session",
        "SCOPE",
    ),
    Option(
        "isolation",
        "--rewardkit-isolation",
        option_values.choice("auto", "strict", "none"),
        "auto",
        "Isolation of local sandboxes: auto (the best that works here), strict (refuse less than full) or none",
        "LEVEL",
    ),
    *CONTAINER_OPTIONS,
    Option(
        "max_sandboxes",
        "--rewardkit-max-sandboxes",
        option_values.count,
        None,
        "How many sandboxes may be alive at once, over all workers and all runs with the same key",
        "N",
    ),
    Option(
        "create_rate",
        "--rewardkit-create-rate",
        option_values.rate,
        None,
        "How many sandboxes may be created a second, over all workers and all runs with the same key",
        "N",
    ),
    Option(
        "quota",
        "--rewardkit-quota",
        option_values.quota,
        None,
        "What your account allows: hobby, pro, or sandboxes at once and creations a second, such as 20,1",
        "QUOTA",
    ),
    Option(
        "max_sandbox_seconds",
        "--rewardkit-max-sandbox-seconds",
        option_values.rate,
        None,
        "Seconds that all sandboxes of the run may live in total; beyond that no more are created, and the run fails",
        "SECONDS",
    ),
    Option(
        "max_cost",
        "--rewardkit-max-cost",
        option_values.rate,
        None,
        "Dollars that all sandboxes of the run may cost; beyond that no more are created, and the run fails",
        "DOLLARS",
    ),
    Option(
        "vcpu_price",
        "--rewardkit-vcpu-price",
        option_values.price,
        None,
        "Price of a sandbox's virtual processor, in dollars an hour (default: in E2B's cloud, E2B's price)",
        "DOLLARS",
    ),
    Option(
        "gib_price",
        "--rewardkit-gib-price",
        option_values.price,
        None,
        "Price of a GiB of a sandbox's memory, in dollars an hour (default: in E2B's cloud, E2B's price)",
        "DOLLARS",
    ),
    *LIMIT_OPTIONS,
    Option(
        "threshold",
        "--rewardkit-threshold",
        option_values.fraction,
        None,
        "The lowest reward in [0, 1] with which a test passes, if it has no threshold of its own",
        "REWARD",
    ),
    Option(
        "fail_under",
        "--rewardkit-fail-under",
        option_values.fraction,
        None,
        "Fail the run if its mean reward is under this number in [0, 1]; unscored tests count as 0",
        "MEAN",
        alone="decides nothing",
    ),
    Option(
        "confidence",
        "--rewardkit-confidence",
        option_values.confidence,
        None,
        "Let gates decide by intervals at this confidence, such as 0.95, and say if there are too few tests to decide",
        "SHARE",
        alone="decides nothing",
    ),
    Option(
        "baseline",
        "--rewardkit-baseline",
        str,
        None,
        "Compare with an earlier run, test by test, from its results file; may be given several times",
        "FILE",
        alone="compares nothing",
        several=True,
    ),
    Option(
        "pair_by",
        "--rewardkit-pair-by",
        str,
        None,
        "Pair tests with those of the baseline by their row or by the parameter of that name, not by their node ids",
        "NAME",
        alone="compares nothing",
    ),
    Option(
        "fail_on",
        "--rewardkit-fail-on",
        option_values.choice("regression"),
        None,
        "Fail the run on a regression against the baseline",
        "WHAT",
        alone="decides nothing",
    ),
    Option(
        "stored",
        "--rewardkit-from",
        str,
        None,
        "Report an earlier run from its results file, and let gates decide again; no test runs. Several files, or "
        "folders, are joined as the shards of one run",
        "FILE",
        alone="reports nothing",
        several=True,
    ),
    Option(
        "shard",
        "--rewardkit-shard",
        option_values.shard,
        None,
        "Run one shard of the selected tests, such as 2/8; gates decide when all shards are joined",
        "K/N",
        alone="splits nothing",
    ),
    Option(
        "durations",
        "--rewardkit-durations",
        str,
        None,
        "Balance shards by the durations in a results file or in pytest-split's file (default: .test_durations, if "
        "it exists)",
        "FILE",
        alone="splits nothing",
    ),
    Option(
        "resume",
        "--rewardkit-resume",
        str,
        None,
        "Keep the tests that have a reward in this results file, and run only the others",
        "FILE",
        alone="keeps nothing",
    ),
    Option(
        "results",
        "--rewardkit-results",
        str,
        None,
        "Write a JSON line for each attempt as it ends, to a .jsonl or .jsonl.gz file",
        "FILE",
        alone="writes nothing",
    ),
    Option(
        "history",
        "--rewardkit-history",
        str,
        None,
        "Show the run beside the last ones whose results are in this folder, and keep it there for the next ones",
        "DIR",
        alone="keeps nothing",
    ),
    Option(
        "junit_properties",
        "--rewardkit-junit-properties",
        option_values.switch,
        True,
        "Whether JUnit files and other reports get rewards as properties of tests: on (the default) or off",
        "SWITCH",
    ),
    Option(
        "html",
        "--rewardkit-html",
        str,
        None,
        "Write a report of all rewards as one HTML file",
        "FILE",
        alone="writes nothing",
    ),
    Option(
        "ctrf",
        "--rewardkit-ctrf",
        str,
        None,
        "Write a report of all tests in the Common Test Report Format, as one JSON file",
        "FILE",
        alone="writes nothing",
    ),
    Option(
        "harbor",
        "--rewardkit-harbor",
        str,
        None,
        "Write reward.json, and ctrf.json, where Harbor's verifier looks for them (default: /logs/verifier)",
        "DIR",
        alone="writes nothing",
        without="/logs/verifier",
    ),
    Option(
        "artifacts",
        "--rewardkit-artifacts",
        str,
        None,
        "Keep a folder for each failed test: candidate, outputs, expected values, and a script to repeat the failure",
        "DIR",
        alone="writes nothing",
    ),
    Option(
        "artifacts_when",
        "--rewardkit-artifacts-when",
        option_values.choice("failure", "always", "off"),
        "failure",
        "Which tests keep artifacts: failure (the default), always or off",
        "WHEN",
    ),
    Option(
        "candidates",
        "--rewardkit-candidates",
        str,
        None,
        "Keep models' answers in this .jsonl or .jsonl.gz file, and replay them instead of asking again",
        "FILE",
        alone="keeps nothing",
    ),
    Option(
        "candidates_mode",
        "--rewardkit-candidates-mode",
        option_values.choice("auto", "record", "replay"),
        "auto",
        "Whether models are asked: auto (if nothing is on record for the prompt), record (always) or replay (never)",
        "MODE",
    ),
    Option(
        "models",
        "--rewardkit-models",
        option_values.names,
        None,
        "Run each test that takes a model once for each of these, such as a,b, in place of those of its marker",
        "NAMES",
    ),
    Option(
        "rescore",
        "--rewardkit-rescore",
        str,
        None,
        "Score again what models gave in an earlier run, by its results file, its folder of artifacts or its file of "
        "candidates; no model is asked",
        "FILE",
        alone="scores nothing",
    ),
    Option(
        "selfcheck",
        "--rewardkit-selfcheck",
        parse_modes,
        None,
        "Check the graders instead, by: references (must pass, and an empty candidate must not), attacks (must not "
        "pay), mutants (small mistakes, which must be noticed), flakes (every run must give the same)",
        "CHECKS",
        without=REFERENCES,
    ),
    Option(
        "selfcheck_limit",
        "--rewardkit-selfcheck-limit",
        option_values.count,
        50,
        "The most attacks, mutants or runs that the self-check tries each grader with",
        "N",
    ),
)
