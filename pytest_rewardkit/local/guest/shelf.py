"""Modules that are imported in advance, and stay out of sight until a cell imports them.

A cell sees what it would see without the shelf: modules are in `sys.modules` only after the cell has imported them, and
a candidate's own module of the same name comes first if it would otherwise. The environment variables that a module has
read must be unchanged, or it is imported again. Compiled modules are reused even then, because many cannot be
initialised twice in one process.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import inspect
import os
import random
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType, ModuleType

MAX_NOTES: Final = 16
_MANY: Final = 20
"""An import of fewer modules takes only a moment, whatever they are."""


@dataclass(slots=True, eq=False)
class _Group:
    """The modules that one import brought in.

    Attributes:
        modules: the modules by name; their packages are in no other group.
        needs: the groups that were imported along with this one.
        variables: the environment variables that the import has read.
    """

    modules: dict[str, ModuleType] = field(default_factory=dict)
    needs: list[_Group] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)

    @property
    def packages(self) -> set[str]:
        """The top-level packages of its modules."""
        return set(map(_package, self.modules))


class Shelf(importlib.abc.MetaPathFinder):
    """Finds the modules that were put on it, and notes other modules that cells import.

    Parameters:
        environment: a sandbox's environment before anybody changes it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._groups: dict[str, _Group] = {}
        self._placed: list[_Group] = []
        self._compiled: dict[str, ModuleType] = {}
        self._noted: list[str] = []
        self._known = 0

    def put(self, name: str) -> None:
        """Import a module, and put away the modules that this brings in.

        Raises:
            Exception: whatever the module does when it is imported.
        """
        group = _Group()
        visible = set(map(_package, sys.modules)) | sys.stdlib_module_names
        imported = False
        try:
            with _questions() as asked:
                importlib.import_module(name)
            group.variables = asked()
            imported = True
        finally:
            group.needs, self._placed = self._placed, []
            owners = {package: owner for owner in group.needs for package in owner.packages}
            visible -= owners.keys()
            # Modules that a library has made without importing them cannot be found again, so they stay.
            visible |= {name for name, module in sys.modules.items() if getattr(module, "__spec__", None) is None}
            for known in [known for known in sys.modules if _package(known) not in visible]:
                owners.get(_package(known), group).modules[known] = sys.modules.pop(known)
            for owner in (group, *group.needs):
                self._groups.update(dict.fromkeys(owner.packages, owner))
            if not imported:
                self._give_up(group)

    def get(self, name: str) -> ModuleType | None:
        """Return a module that has been imported, whether or not it is out of sight; None if it has not."""
        group = self._groups.get(_package(name))
        return sys.modules.get(name) or (group.modules.get(name) if group is not None else None)

    def notes(self) -> list[str]:
        """Return the modules that cells have imported since the last call, if many others came with them."""
        noted, self._noted = self._noted, []
        before, self._known = self._known, len(sys.modules)
        return [name for name in noted if name in sys.modules] if self._known - before >= _MANY else []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Take a module off the shelf, with all that came with it."""
        group = self._groups.get(_package(fullname))
        if group is not None:
            if self._is_what_would_be_imported(group):
                self._place(group)
                # The import system puts the module there, and would execute one that it finds there already.
                module = sys.modules.pop(fullname, None)
                return None if module is None else importlib.machinery.ModuleSpec(fullname, _Placed(module))
            self._give_up(group)
        module = self._compiled.get(fullname)
        if module is not None and _same(fullname, module, path, target):
            return importlib.machinery.ModuleSpec(fullname, _Placed(module))
        self._note(fullname)
        return None

    def _is_what_would_be_imported(self, group: _Group) -> bool:
        if any(os.environ.get(name) != self._environment.get(name) for name in group.variables):
            return False
        packages = ((name, group.modules[name]) for name in group.packages if name in group.modules)
        if not all(_same(name, package, None, None) for name, package in packages):
            return False
        waiting = self._groups.values()
        return all(
            need in self._placed or (need in waiting and self._is_what_would_be_imported(need)) for need in group.needs
        )

    def _place(self, group: _Group) -> None:
        self._placed.append(group)
        for package in group.packages:
            del self._groups[package]
        for need in group.needs:
            if need not in self._placed:
                self._place(need)
        sys.modules.update(group.modules)
        # Without this every sandbox would draw the same numbers.
        for name, module in group.modules.items():
            if name == "numpy.random":
                module.seed()
            for value in list(getattr(module, "__dict__", {}).values()):
                if type(value) is random.Random:
                    value.seed()

    def _give_up(self, group: _Group) -> None:
        for package in group.packages:
            del self._groups[package]
        for name, module in group.modules.items():
            if isinstance(getattr(module, "__loader__", None), importlib.machinery.ExtensionFileLoader):
                self._compiled[name] = module

    def _note(self, name: str) -> None:
        """Note a name unless another module's import asks for it."""
        if len(self._noted) == MAX_NOTES or _package(name) in sys.stdlib_module_names:
            return
        frame: FrameType | None = inspect.currentframe()
        imports = 0
        while frame is not None and imports <= 1:
            imports += frame.f_code.co_name == "_find_and_load" and "importlib" in frame.f_code.co_filename
            frame = frame.f_back
        if imports == 1:
            self._noted.append(name)


class _Placed(importlib.abc.Loader):
    """Loads a module that exists already.

    Parameters:
        module: the module.
    """

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = getattr(module, "__spec__", None)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:  # noqa: ARG002
        """Give the module."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it is."""
        module.__spec__ = self._spec


@contextmanager
def _questions() -> Iterator[Callable[[], set[str]]]:
    """Note which environment variables are read; yield a function that returns them."""
    asked: set[str] = set()
    kind: Any = type(os.environ)

    class Asked(kind):  # type: ignore[misc] # it is what Python has there
        """The environment's class while reads are noted. The object stays the same, since others may hold it."""

        def __getitem__(self, name: str) -> Any:
            asked.add(name)
            return super().__getitem__(name)

    environment: Any = os.environ
    environment.__class__ = Asked
    try:
        yield lambda: set(asked)
    finally:
        environment.__class__ = kind


def _same(name: str, module: ModuleType, path: Sequence[str] | None, target: ModuleType | None) -> bool:
    """Whether importing a name would give this module."""
    spec, own = importlib.machinery.PathFinder.find_spec(name, path, target), getattr(module, "__spec__", None)
    return spec is not None and own is not None and spec.origin == own.origin


def _package(name: str) -> str:
    return name.partition(".")[0]
