"""The image for sandboxes: made once for each version of this package, Python, and set of packages."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rewardkit.local.container.wheel import requirements, version, write_wheel
from pytest_rewardkit.local.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_rewardkit.local.container.engine import Engine

LABEL = "pytest-rewardkit"
"""The label of all our images and containers, by which leftovers can be found."""

BUILD_SECONDS = 1800.0
LOG_LINES = 25


def ensure_image(engine: Engine, packages: Sequence[str], say: Callable[[str], None]) -> str:
    """The name of an image that has this package and `packages`; it is built if the engine does not have it.

    Parameters:
        engine: the engine that holds the image.
        packages: other packages to install, as lines of a requirements file.
        say: gets a message that it takes a while.

    Raises:
        ContainerError: it cannot be built; the message ends with the build's log.
    """
    with tempfile.TemporaryDirectory() as made:
        context = Path(made)
        wheel = write_wheel(context)
        needed = "".join(f"{requirement}\n" for requirement in (*requirements(), *packages))
        (context / "requirements.txt").write_text(needed, encoding="utf-8")
        (context / "Dockerfile").write_text(_recipe(wheel.name), encoding="utf-8")
        tag = f"{LABEL}:{version()}-{_digest(context)}"
        if engine.call("image", "inspect", tag).returncode != 0:
            _build(engine, tag, context, say)
    return tag


def _recipe(wheel: str) -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    pip = "python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore"
    # The dependencies come first, so that another version of this package alone takes only seconds.
    return (
        f"FROM docker.io/library/python:{python}-slim\n"  # Podman does not know a shorter name
        f"LABEL {LABEL}=\n"
        "COPY requirements.txt /opt/rewardkit/\n"
        f"RUN {pip} -r /opt/rewardkit/requirements.txt\n"
        f"COPY {wheel} /opt/rewardkit/\n"
        f"RUN {pip} --no-deps /opt/rewardkit/{wheel}\n"
    )


def _digest(context: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(context.iterdir()):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _build(engine: Engine, tag: str, context: Path, say: Callable[[str], None]) -> None:
    say(f"building the image {tag} of {engine.name}, once for this version and these packages ...")
    began = time.monotonic()
    built = engine.call("build", "--tag", tag, str(context), seconds=BUILD_SECONDS)
    if built.returncode != 0:
        tail = "\n".join(built.stdout.splitlines()[-LOG_LINES:])
        raise ContainerError(f"the image {tag} could not be built; the end of the build's log:\n{tail}")
    say(f"built in {time.monotonic() - began:.0f} s")
