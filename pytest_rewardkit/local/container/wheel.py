"""This package as a wheel, made of its installed files: no build tool, no network, and always the same bytes."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pytest_rewardkit.local.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION: Final = "pytest-rewardkit"
_PACKAGE: Final = Path(__file__).parents[2]
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_KIND: Final = "Wheel-Version: 1.0\nGenerator: pytest-rewardkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def version() -> str:
    """The version of this package.

    Raises:
        ContainerError: the package was not installed, so its version and its dependencies are not known.
    """
    try:
        return distribution(DISTRIBUTION).version
    except PackageNotFoundError:
        raise ContainerError(f"{DISTRIBUTION} is not installed here, only on the path; install it with pip") from None


def requirements() -> list[str]:
    """The dependencies of this package, without its extras, as lines of a requirements file.

    Raises:
        ContainerError: as for `version`.
    """
    version()
    return [line for line in distribution(DISTRIBUTION).requires or () if "extra ==" not in line]


def write_wheel(directory: Path) -> Path:
    """Write the wheel, under the name that pip expects, and return its path.

    Parameters:
        directory: the directory for it.

    Raises:
        ContainerError: as for `version`.
    """
    stem = f"{DISTRIBUTION.replace('-', '_')}-{version()}"
    wheel = directory / f"{stem}-py3-none-any.whl"
    record = f"{stem}.dist-info/RECORD"
    lines = []
    with ZipFile(wheel, "w") as archive:
        for name, content in (*_sources(), *_description(stem)):
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}\n")
            _add(archive, name, content)
        _add(archive, record, "".join([*lines, f"{record},,\n"]).encode())
    return wheel


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, ZIP_DEFLATED)


def _sources() -> Iterator[tuple[str, bytes]]:
    for path in sorted(_PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(_PACKAGE.parent).as_posix(), path.read_bytes()


def _description(stem: str) -> Iterator[tuple[str, bytes]]:
    installed = distribution(DISTRIBUTION)
    for name, content in (
        ("METADATA", installed.read_text("METADATA")),
        ("entry_points.txt", installed.read_text("entry_points.txt")),
        ("WHEEL", _KIND),
    ):
        if content is not None:
            yield f"{stem}.dist-info/{name}", content.encode()
