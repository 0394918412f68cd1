"""Whether a run covers all tests of a project or a selection, and what selected them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit.formatting import counted
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

DESELECTED: Final = "rewardkit_deselected"
"""The key under which a worker of pytest-xdist says at its end how many tests were deselected."""

_TEXT_LIMIT: Final = 60
_PATHS: Final = 3
"""How many paths are named; the others are counted."""


def narrowed_by(config: pytest.Config, deselected: int = 0) -> str:
    """Return what narrowed the selection of tests, as on the command line; "" if nothing did.

    Parameters:
        deselected: how many of the collected tests were deselected, by any plugin.
    """
    found = list(_by_options(config))
    if deselected and not found:
        found = [f"{counted(deselected, 'test')} deselected"]
    return ", ".join([*found, *_by_paths(config)])


def _by_options(config: pytest.Config) -> Iterator[str]:
    for flag, name in (("-k", "keyword"), ("-m", "markexpr")):
        if expression := config.getoption(name, None):
            yield f"{flag} {one_line(str(expression), _TEXT_LIMIT)}"
    for flag, name in (("--deselect", "deselect"), ("--lf", "lf"), ("--sw", "stepwise")):
        if config.getoption(name, None):
            yield flag
    # In ini files the option defines the project instead.
    if any(argument.startswith("--ignore") for argument in map(str, config.invocation_params.args)):
        yield "--ignore"


def _by_paths(config: pytest.Config) -> Iterator[str]:
    """Yield the paths to run if they leave out some of the project's tests."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return
    start = config.invocation_params.dir
    given = [Path(os.path.normpath(start / argument)) for argument in config.args]
    if all(any(root.is_relative_to(path) for path in given) for root in _roots(config)):
        return
    for path in given[:_PATHS]:
        yield one_line(os.path.relpath(path, config.rootpath), _TEXT_LIMIT)
    if len(given) > _PATHS:
        yield f"{len(given) - _PATHS:,} more"


def _roots(config: pytest.Config) -> list[Path]:
    """Return the directories and files that hold all tests: those of the ini option, or else all below the root."""
    base = config.rootpath if config.inipath is None else config.inipath.parent
    found = [path for pattern in config.getini("testpaths") for path in sorted(base.glob(pattern))]
    return found or [config.rootpath]
