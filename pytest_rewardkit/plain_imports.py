"""Importing this package as Python does, past pytest's own importer of plugins.

pytest compiles plugins' modules itself, so that their asserts explain themselves. This package has none that anybody
sees, and its modules are compiled when it is installed; without this, each process of the first run, and of every run
that may write no bytecode, would compile a hundred of them.
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
    """Finds the modules below this package; all others are left to whoever comes next."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As of `importlib.abc.MetaPathFinder`."""
        return PathFinder.find_spec(name, path, target) if name.startswith(_PREFIX) else None


def import_plainly() -> None:
    """Have modules of this package that are imported from now on found by Python."""
    if PlainImports not in sys.meta_path:
        sys.meta_path.insert(0, PlainImports)
