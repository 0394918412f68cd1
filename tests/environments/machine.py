"""This machine's own programs and this Python environment, as a nearly empty root sees them through bind mounts."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PYTEST = (
    *("env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable, "-B", "-m", "pytest"),
    *("-p", "pytest_rewardkit.plugin", "-p", "xdist"),
)
"""Command that runs pytest; other installed plugins would make each process take three times as long to start."""


def mounted() -> list[Path]:
    """What a root needs to run this interpreter and this package: folders and files, none inside another."""
    system = [Path("/usr"), *(Path("/", name) for name in _TOP if _is_folder(name))]
    settings = [Path("/etc", name) for name in ("alternatives", "fonts", "ld.so.cache", "ssl")]
    environment = map(Path, (sys.prefix, sys.base_prefix, *filter(None, sys.path)))
    found = sorted({path for path in (*system, *settings, *environment, REPOSITORY) if path.exists()})
    return [path for path in found if not any(other in path.parents for other in found)]


def empty_root() -> bytes:
    """A tar file of such a root: folders, and the links that lead into `/usr`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        # An engine mounts its own init on /sbin/docker-init, so this folder cannot be a link to a read-only one.
        for name, mode in {"tmp": 0o1777, "home": 0o755, "run": 0o755, "sbin": 0o755, "var/tmp": 0o1777}.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        links = {name: str(Path("/", name).readlink()) for name in _TOP if Path("/", name).is_symlink()}
        for name, target in {**links, "sbin/ldconfig": "/usr/sbin/ldconfig"}.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return packed.getvalue()


_TOP = ("bin", "lib", "lib32", "lib64", "libx32")


def _is_folder(name: str) -> bool:
    path = Path("/", name)
    return path.is_dir() and not path.is_symlink()
