"""Fork servers at every isolation level, as root and as an ordinary user.

A place is a level's name, or "user" and a level's name for an ordinary user, to whom root's tests drop with setpriv.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guest_driver import MODULE, ForkServer
from packaging.requirements import Requirement

import pytest_rewardkit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ORDINARY_USER = 4711
"""A user id without an account."""


def places(as_root: Sequence[str], as_user: Sequence[str]) -> list[str]:
    """The places of root's and a user's levels; if the tests do not run as root, those for their own user."""
    return [*as_root, *(f"user {level}" for level in as_user)] if os.geteuid() == 0 else list(as_user)


PROMISING = places(("full", "no-procfs", "uid", "landlock"), ("full", "no-procfs", "ns-nocap", "landlock"))
"""The places whose levels promise to protect others from a candidate."""


def world_readable_python() -> str | None:
    """Return a Python of this version that every user of the machine may run."""
    name = f"python3.{sys.version_info.minor}"
    for python in (Path(sys.base_prefix, "bin", name), Path("/usr/local/bin", name), Path("/usr/bin", name)):
        if python.exists() and all(parent.stat().st_mode & 0o001 for parent in python.resolve().parents):
            return str(python)
    return None


def copy_package(name: str, target: Path, done: set[str]) -> None:
    """Copy an installed distribution and its dependencies."""
    # jedi completes code in editors; it is thousands of files.
    if name in done or name == "jedi":
        return
    done.add(name)
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            destination = target / file
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), destination)
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            copy_package(requirement.name, target, done)


@pytest.fixture(scope="session")
def everybodys_python() -> Iterator[str]:
    """A virtual environment that every user can read, with the guest's dependencies.

    Other users cannot read pytest's own temporary directories or the developer's home.
    """
    python = world_readable_python()
    if python is None:
        pytest.skip(f"needs a Python 3.{sys.version_info.minor} that every user may run, as /usr/bin/python3 of Debian")
    directory = Path(tempfile.mkdtemp(prefix="rewardkit-everybody-"))
    directory.chmod(0o755)
    subprocess.run([python, "-m", "venv", "--without-pip", directory], check=True)
    packages = next(directory.glob("lib/python*/site-packages"))
    done: set[str] = set()
    for name in ("ipython", "matplotlib-inline", "landlockpy", "seccompy"):
        copy_package(name, packages, done)
    source = Path(pytest_rewardkit.__file__).parent
    shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
    yield str(directory / "bin" / "python")
    shutil.rmtree(directory)


def as_ordinary_user() -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("needs setpriv, to become an ordinary user")
    return [setpriv, f"--reuid={ORDINARY_USER}", f"--regid={ORDINARY_USER}", "--clear-groups"]


@contextmanager
def served(request: pytest.FixtureRequest) -> Iterator[ForkServer]:
    """A fork server at the place given as a fixture's parameter; skips if the machine does not support it."""
    user, _, level = request.param.rpartition(" ")
    python = request.getfixturevalue("everybodys_python") if user or level == "uid" else sys.executable
    with ForkServer("--isolation", level, command=[*(as_ordinary_user() if user else []), python, *MODULE]) as server:
        if server.greeting["event"] == "failed":
            server.process.wait()
            pytest.skip(f"level {level!r} cannot be had here: {server.greeting['message']}")
        assert server.greeting["level"] == level
        yield server
