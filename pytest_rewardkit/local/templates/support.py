"""The packages that templates get from here: those that the fork server needs, such as IPython, and pip."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OF_FORK_SERVERS: Final = ("ipython", "matplotlib-inline", "landlockpy", "seccompy")
PIP: Final = ("pip",)

_LEFT_OUT: Final = ("jedi",)
"""IPython uses it for completion, which sandboxes do not need, and it is half of the total size."""


def pinned() -> list[str]:
    """Return the fork server's dependencies as requirements, in the versions that are installed here."""
    return [f"{name}=={found.version}" for name, found in sorted(_distributions(OF_FORK_SERVERS).items())]


def is_here(names: Iterable[str]) -> bool:
    """Whether packages are installed here with their dependencies."""
    try:
        return bool(_distributions(names))
    except metadata.PackageNotFoundError:
        return False


def copy_to(directory: Path, names: Iterable[str]) -> None:
    """Copy packages with their dependencies from where they are installed here.

    Raises:
        BuildError: the files of a package are not known.
    """
    for name, found in _distributions(names).items():
        if found.files is None:
            raise BuildError(f"which files {name} has is not known")
        for file in found.files:
            if ".." in file.parts:
                continue  # a command
            target = directory / file
            target.parent.mkdir(parents=True, exist_ok=True)
            source = Path(str(found.locate_file(file)))
            if source.is_file():
                shutil.copy2(source, target)  # with its time, which identifies the compiled file


def _distributions(names: Iterable[str]) -> dict[str, metadata.Distribution]:
    found: dict[str, metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in _LEFT_OUT:
            found[name] = metadata.distribution(name)
            waiting += _required(found[name])
    return found


def _required(distribution: metadata.Distribution) -> Iterator[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
