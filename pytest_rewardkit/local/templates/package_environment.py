"""The interpreter and the packages that sandboxes are made of. Imports little."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Only this package becomes visible, and not the packages beside it.
_RUN: Final = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
from runpy import run_module
package, module, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path += sys.argv[4 : 4 + count]
spec = spec_from_file_location("pytest_rewardkit", f"{package}/__init__.py", submodule_search_locations=[package])
sys.modules[spec.name] = module_from_spec(spec)
spec.loader.exec_module(sys.modules[spec.name])
del sys.argv[1 : 4 + count]
run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, slots=True)
class PackageEnvironment:
    """An environment.

    Parameters:
        python: its interpreter.
        directories: where more packages are, which come after its own: those that the fork server itself needs.
    """

    python: str
    directories: tuple[str, ...] = ()

    def command(self, module: str) -> list[str]:
        """The command that runs a module of this package in it, isolated from this process's Python settings."""
        if not self.directories:
            return [self.python, "-I", "-m", module]
        package = str(Path(__file__).parents[2])
        return [self.python, "-I", "-c", _RUN, package, module, str(len(self.directories)), *self.directories]

    def held(self) -> list[int]:
        """Keep it as long as the returned descriptors are open; only for an environment in the cache.

        Raises:
            BuildError: it no longer exists.
        """
        from pytest_rewardkit.local.templates.cache import hold

        return [hold(place) for place in (Path(self.python).parents[1], *(Path(it).parent for it in self.directories))]


OWN: Final = PackageEnvironment(sys.executable)
"""The environment that this process runs in, which has this package."""
