"""Imports this package as Python does, bypassing pytest's own importer of plugins.

pytest compiles plugins' modules itself, so that their asserts explain themselves. This package has no asserts that
users see, and its modules are compiled when it is installed. Without this module, each process of the first run, and
of every run that may not write bytecode, compiles a hundred of them.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PREFIX: Final = f"{__package__}."


class PlainImports:
    """Finds the modules below this package; other finders handle everything else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As in `importlib.abc.MetaPathFinder`."""
        return PathFinder.find_spec(name, path, target) if name.startswith(_PREFIX) else None


def import_plainly() -> None:
    """Let Python itself find modules of this package that are imported from now on."""
    if PlainImports not in sys.meta_path:
        sys.meta_path.insert(0, PlainImports)
