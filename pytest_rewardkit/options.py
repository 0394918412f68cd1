"""The options, each with its valid values and its default."""

from __future__ import annotations

from typing import Any, Final

from pytest_rewardkit import option_values
from pytest_rewardkit.ledger.modes import REFERENCES, parse_modes
from pytest_rewardkit.option import Option


def _limit(name: str, default: int, text: str) -> Option:
    return Option(name, option_values.limit(name), default, f"{text} (default: {default})", "N")


def _text(name: str, text: str, metavar: str, **others: Any) -> Option:
    return Option(name, str, None, text, metavar, **others)


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
        "enabled",
        option_values.switch,
        False,
        "Report rewards, and let gates decide the exit status",
        flag="--rewardkit",
    ),
    Option(
        "provider",
        option_values.choice("auto", "e2b", "local", "docker"),
        "auto",
        "Where sandboxes come from: auto (e2b if E2B_API_KEY is set, else local, else docker), e2b, local or docker",
        "NAME",
    ),
    Option(
        "sandbox_scope",
        option_values.choice("function", "class", "module", "session"),
        "function",
        "How long one sandbox lives: function (the default), class, module or session",
        "SCOPE",
    ),
    Option(
        "isolation",
        option_values.choice("auto", "strict", "none"),
        "auto",
        "Isolation of local sandboxes: auto (the best that works here), strict (refuse less than full) or none",
        "LEVEL",
    ),
    *CONTAINER_OPTIONS,
    Option(
        "max_sandboxes",
        option_values.count,
        None,
        "How many sandboxes may be alive at once, over all workers and all runs with the same key",
        "N",
    ),
    Option(
        "create_rate",
        option_values.rate,
        None,
        "How many sandboxes may be created a second, over all workers and all runs with the same key",
        "N",
    ),
    Option(
        "quota",
        option_values.quota,
        None,
        "What your account allows: hobby, pro, or sandboxes at once and creations a second, such as 20,1",
        "QUOTA",
    ),
    Option(
        "max_sandbox_seconds",
        option_values.rate,
        None,
        "Seconds that all sandboxes of the run may live in total; beyond that no more are created, and the run fails",
        "SECONDS",
    ),
    Option(
        "max_cost",
        option_values.rate,
        None,
        "Dollars that all sandboxes of the run may cost; beyond that no more are created, and the run fails",
        "DOLLARS",
    ),
    Option(
        "vcpu_price",
        option_values.price,
        None,
        "Price of a sandbox's virtual processor, in dollars an hour (default: in E2B's cloud, E2B's price)",
        "DOLLARS",
    ),
    Option(
        "gib_price",
        option_values.price,
        None,
        "Price of a GiB of a sandbox's memory, in dollars an hour (default: in E2B's cloud, E2B's price)",
        "DOLLARS",
    ),
    *LIMIT_OPTIONS,
    Option(
        "threshold",
        option_values.fraction,
        None,
        "The lowest reward in [0, 1] with which a test passes, if it has no threshold of its own",
        "REWARD",
    ),
    Option(
        "fail_under",
        option_values.fraction,
        None,
        "Fail the run if its mean reward is under this number in [0, 1]; unscored tests count as 0",
        "MEAN",
        alone="decides nothing",
    ),
    Option(
        "confidence",
        option_values.confidence,
        None,
        "Let gates decide by intervals at this confidence, such as 0.95, and say if there are too few tests to decide",
        "SHARE",
        alone="decides nothing",
    ),
    _text(
        "baseline",
        "Compare with an earlier run, test by test, from its results file; may be given several times",
        "FILE",
        alone="compares nothing",
        several=True,
    ),
    _text(
        "pair_by",
        "Pair tests with those of the baseline by their row or by the parameter of that name, not by their node ids",
        "NAME",
        alone="compares nothing",
    ),
    Option(
        "fail_on",
        option_values.choice("regression"),
        None,
        "Fail the run on a regression against the baseline",
        "WHAT",
        alone="decides nothing",
    ),
    _text(
        "stored",
        "Report an earlier run from its results file, and let gates decide again; no test runs. Several files, or "
        "folders, are joined as the shards of one run",
        "FILE",
        flag="--rewardkit-from",
        alone="reports nothing",
        several=True,
    ),
    Option(
        "shard",
        option_values.shard,
        None,
        "Run one shard of the selected tests, such as 2/8; gates decide when all shards are joined",
        "K/N",
        alone="splits nothing",
    ),
    _text(
        "durations",
        "Balance shards by the durations in a results file or in pytest-split's file (default: .test_durations, if "
        "it exists)",
        "FILE",
        alone="splits nothing",
    ),
    _text(
        "resume",
        "Keep the tests that have a reward in this results file, and run only the others",
        "FILE",
        alone="keeps nothing",
    ),
    _text(
        "results",
        "Write a JSON line for each attempt as it ends, to a .jsonl or .jsonl.gz file",
        "FILE",
        alone="writes nothing",
    ),
    _text(
        "history",
        "Show the run beside the last ones whose results are in this folder, and keep it there for the next ones",
        "DIR",
        alone="keeps nothing",
    ),
    Option(
        "junit_properties",
        option_values.switch,
        True,
        "Whether JUnit files and other reports get rewards as properties of tests: on (the default) or off",
        "SWITCH",
    ),
    _text(
        "html",
        "Write a report of all rewards as one HTML file",
        "FILE",
        alone="writes nothing",
    ),
    _text(
        "ctrf",
        "Write a report of all tests in the Common Test Report Format, as one JSON file",
        "FILE",
        alone="writes nothing",
    ),
    _text(
        "harbor",
        "Write reward.json, and ctrf.json, where Harbor's verifier looks for them (default: /logs/verifier)",
        "DIR",
        alone="writes nothing",
        without="/logs/verifier",
    ),
    _text(
        "artifacts",
        "Keep a folder for each failed test: candidate, outputs, expected values, and a script to repeat the failure",
        "DIR",
        alone="writes nothing",
    ),
    Option(
        "artifacts_when",
        option_values.choice("failure", "always", "off"),
        "failure",
        "Which tests keep artifacts: failure (the default), always or off",
        "WHEN",
    ),
    _text(
        "candidates",
        "Keep models' answers in this .jsonl or .jsonl.gz file, and replay them instead of asking again",
        "FILE",
        alone="keeps nothing",
    ),
    Option(
        "candidates_mode",
        option_values.choice("auto", "record", "replay"),
        "auto",
        "Whether models are asked: auto (if nothing is on record for the prompt), record (always) or replay (never)",
        "MODE",
    ),
    Option(
        "models",
        option_values.names,
        None,
        "Run each test that takes a model once for each of these, such as a,b, in place of those of its marker",
        "NAMES",
    ),
    _text(
        "rescore",
        "Score again what models gave in an earlier run, by its results file, its folder of artifacts or its file of "
        "candidates; no model is asked",
        "FILE",
        alone="scores nothing",
    ),
    Option(
        "selfcheck",
        parse_modes,
        None,
        "Check the graders instead, by: references (must pass, and an empty candidate must not), attacks (must not "
        "pay), mutants (small mistakes, which must be noticed), flakes (every run must give the same)",
        "CHECKS",
        without=REFERENCES,
    ),
    Option(
        "selfcheck_limit",
        option_values.count,
        50,
        "The most attacks, mutants or runs that the self-check tries each grader with",
        "N",
    ),
)
