"""The interpreters that templates request, found on this machine or fetched by uv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST: Final = (3, 11)
"""The oldest version that the code in sandboxes works with."""

_QUESTION: Final = """
import json, platform, sys
where = getattr(sys, "_base_executable", sys.executable)  # an environment's own may go with that
print(json.dumps([where, sys.version_info[:3], f"{sys.implementation.name}-{platform.machine()}"]))
"""
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class FoundPython:
    """An interpreter.

    Parameters:
        path: its path.
        version: its version, as three numbers.
        kind: its implementation and its machine.
    """

    path: str
    version: tuple[int, int, int]
    kind: str

    def takes_packages_of(self, other: FoundPython) -> bool:
        """Whether packages that are installed for another interpreter work with this one."""
        return (self.version[:2], self.kind) == (other.version[:2], other.kind)


def uv() -> str | None:
    """The path of uv, if there is one: beside this interpreter, else on the path."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")


def find_python(wanted: str, run: Callable[[list[str]], object]) -> FoundPython:
    """Return the interpreter that a template requests.

    Parameters:
        wanted: a version, a path, or "" for the one that this process runs in.
        run: runs a command; raises BuildError if it fails.

    Raises:
        BuildError: there is no such interpreter.
    """
    own = own_python()
    if not wanted or _is_version(own, wanted):
        return own
    if "/" in wanted:
        if (found := _asked(wanted)) is None:
            raise BuildError(f"{wanted} is no Python that works")
    else:
        found = _by_version(wanted, run)
    if found.version[:2] < LEAST:
        raise BuildError(f"Python {'.'.join(map(str, found.version))} is too old: sandboxes have 3.11 and later")
    return found


def own_python() -> FoundPython:
    """Return the interpreter that this process runs in."""
    found = _asked(sys.executable)
    if found is None:
        raise BuildError(f"{sys.executable} does not work any more")
    return found


def _by_version(wanted: str, run: Callable[[list[str]], object]) -> FoundPython:
    minor = ".".join(wanted.split(".")[:2])
    for name in (f"python{wanted}", f"python{minor}"):
        path = shutil.which(name)
        if path is not None and (found := _asked(path)) is not None and _is_version(found, wanted):
            return found
    fetcher = uv()
    if fetcher is None:
        raise BuildError(f"there is no Python {wanted} here, and no uv, which would fetch it")
    run([fetcher, "python", "install", wanted])
    path = _output([fetcher, "python", "find", wanted])
    if path is None or (found := _asked(path)) is None:
        raise BuildError(f"uv has not found the Python {wanted} that it has fetched")
    return found


def _is_version(python: FoundPython, wanted: str) -> bool:
    numbers = wanted.split(".")
    return list(map(str, python.version))[: len(numbers)] == numbers


def _asked(path: str) -> FoundPython | None:
    """Return the interpreter at a path; None if there is none that works."""
    answer = _output([path, "-I", "-c", _QUESTION])
    try:
        where, (major, minor, micro), kind = json.loads(answer or "")
    except ValueError:
        return None
    return FoundPython(where, (major, minor, micro), kind)


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()
