"""Dispatches to the subcommand that the first word names."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

from pytest_rewardkit.command_line.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "pytest-rewardkit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters:
        arguments: the words after the program's name; by default those of this process.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((it for it in COMMANDS if words[:1] == [it.name]), None)
    if chosen is None:
        _parser().parse_args(words)  # exits: with the help, the version or an error
        raise AssertionError(words)
    return cast("int", import_module(chosen.module).main(words))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="Sandboxes and rewards for code that a model wrote. To run tests, use `pytest --rewardkit`.",
        epilog=f"`{PROGRAM} COMMAND --help` lists a command's options.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version(PROGRAM)}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        commands.add_parser(command.name, help=command.purpose)
    return parser
