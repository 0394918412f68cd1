"""A private root for a command, without an engine: this machine's programs, and an environment open to all users."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from environments.machine import empty_root, mounted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PIVOT = "pivot_root . old && umount --lazy /old && cd /place && exec"
"""Enters a root as good as the machine's."""

CHROOT = "exec chroot ."
"""Enters a root that the kernel distrusts: no user namespaces can be made in it."""


def why_not() -> str | None:
    """Why such a root is impossible here, or None."""
    if os.geteuid() != 0:
        return "only root can make a root"
    missing = [name for name in ("unshare", "pivot_root", "setpriv") if shutil.which(name) is None]
    if missing:
        return f"needs {missing[0]}"
    tried = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], check=False)
    return "mounting is refused" if tried.returncode != 0 else None


def run(
    folder: Path, work: Path, user: int, command: Sequence[str], *, enter: str = PIVOT, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user in a fresh root, which disappears with it.

    Parameters:
        folder: an empty folder for the root.
        work: a folder that the command sees as /place.
    """
    as_user = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        "--clear-groups",
        "--",
        "env",
        "-i",
        "HOME=/nonexistent",
    ]
    words = [*as_user, "PATH=/usr/bin:/bin:/usr/sbin", "sh", "-c", f"cd /place && exec {shlex.join(command)}"]
    script = "\n".join([*_mounts(folder, work), f"cd {shlex.quote(str(folder))}", f"{enter} {shlex.join(words)}"])
    return subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-e", "-c", script],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )


def _mounts(folder: Path, work: Path) -> list[str]:
    """Lines of a shell script that fill the folder, in the script's own mount namespace."""
    subprocess.run(["tar", "-C", folder, "-x"], input=empty_root(), check=True)
    lines = [f"mount --rbind {shlex.quote(str(folder))} {shlex.quote(str(folder))}"]
    for source, options in {**dict.fromkeys(mounted(), "ro"), work: "rw"}.items():
        place = folder / ("place" if source == work else str(source).lstrip("/"))
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            place.mkdir(exist_ok=True)
        else:
            place.touch()
        lines.append(f"mount --bind {shlex.quote(str(source))} {shlex.quote(str(place))}")
        lines.append(f"mount -o remount,bind,{options} {shlex.quote(str(place))}")
    for name in ("proc", "dev", "sys", "old"):
        (folder / name).mkdir(exist_ok=True)
        if name != "old":
            lines.append(f"mount --rbind /{name} {shlex.quote(str(folder / name))}")
    return lines
