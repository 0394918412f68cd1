"""Packages that a sandbox installs for itself: where pip puts them, and how its interpreters find them."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest.layout import HOME, PACKAGE_DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY: Final = f"{HOME}/.local/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
"""Where Python has an ordinary user's own, outside of virtual environments."""

PIP_SETTINGS: Final = f"[install]\ntarget = {DIRECTORY}\nupgrade = true\n"
"""An environment's pip.conf: the environment itself is everybody's, and nobody can write there."""

_VARIABLE: Final = "PYTHONPATH"


def adopt() -> None:
    """Let this interpreter, and those that it starts, find what is installed; before the environment's packages."""
    if DIRECTORY in sys.path or not os.path.isdir(DIRECTORY):
        return
    names = [os.path.basename(path) for path in sys.path]
    first = next((place for place, name in enumerate(names) if name in PACKAGE_DIRECTORIES), len(names))
    sys.path.insert(first, DIRECTORY)
    os.environ.update(variables(os.environ))
    importlib.invalidate_caches()


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a process's environment needs in addition, where something is installed.

    Who sets the variable, if only to nothing, has decided what is found.
    """
    return {} if _VARIABLE in environment else {_VARIABLE: DIRECTORY}
