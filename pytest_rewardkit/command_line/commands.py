"""The subcommands of `pytest-rewardkit`, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Subcommand:
    """A subcommand.

    Attributes:
        name: its first word.
        purpose: what it does, in a phrase.
        example: a typical command line.
        module: the module of its `main`, imported when the subcommand is called; `main` takes the words from the name
            on, and returns the exit status.
    """

    name: str
    purpose: str
    example: str
    module: str


COMMANDS: Final = (
    Subcommand(
        "serve",
        "serve local sandboxes until interrupted, and print the variables that point E2B's SDK at them",
        "pytest-rewardkit serve --port 3000",
        "pytest_rewardkit.local.__main__",
    ),
    Subcommand(
        "run",
        "run a command that uses E2B's SDK against a fresh local server",
        "pytest-rewardkit run -- python agent.py",
        "pytest_rewardkit.local.__main__",
    ),
    Subcommand(
        "doctor",
        "show how sandboxes are isolated on this machine, and how to get more",
        "pytest-rewardkit doctor",
        "pytest_rewardkit.local.__main__",
    ),
    Subcommand(
        "templates",
        "make a project's templates, so that no test waits for them",
        "pytest-rewardkit templates",
        "pytest_rewardkit.local.__main__",
    ),
    Subcommand(
        "merge",
        "read the results files of all shards of a run, decide once, and report",
        "pytest-rewardkit merge results/ --rewardkit-fail-under=0.8",
        "pytest_rewardkit.command_line.merge",
    ),
    Subcommand(
        "bench",
        "measure how long a cluster's sandboxes take to their first command, compared with this machine's",
        "pytest-rewardkit bench --url https://api.cluster.example",
        "pytest_rewardkit.bench.command",
    ),
    Subcommand(
        "sweep",
        "list the sandboxes that runs have left behind in a cloud or a cluster, and end them",
        "pytest-rewardkit sweep --older-than 1h --yes",
        "pytest_rewardkit.command_line.sweep",
    ),
)
