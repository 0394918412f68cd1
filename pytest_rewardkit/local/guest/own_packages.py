"""Packages that a sandbox installs for itself: where pip puts them, and how the sandbox's interpreters find them."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest.layout import HOME, PACKAGE_DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY: Final = f"{HOME}/.local/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
"""Where Python looks for an ordinary user's own packages, outside virtual environments."""

PIP_SETTINGS: Final = f"[install]\ntarget = {DIRECTORY}\nupgrade = true\n"
"""An environment's pip.conf: the environment itself is shared, and nobody can write there."""

_VARIABLE: Final = "PYTHONPATH"


def adopt() -> None:
    """Let this interpreter and those that it starts find installed packages, before the environment's packages."""
    if DIRECTORY in sys.path or not os.path.isdir(DIRECTORY):
        return
    names = [os.path.basename(path) for path in sys.path]
    first = next((place for place, name in enumerate(names) if name in PACKAGE_DIRECTORIES), len(names))
    sys.path.insert(first, DIRECTORY)
    os.environ.update(variables(os.environ))
    importlib.invalidate_caches()


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to add to a process's environment, if something is installed.

    A variable that is set, even to nothing, stays: it decides where packages are found.
    """
    return {} if _VARIABLE in environment else {_VARIABLE: DIRECTORY}
