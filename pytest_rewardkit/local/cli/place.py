"""Describes this place: the container and its engine, and what the machine and the container forbid."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SYSCTLS: Final = {
    name: f"/proc/sys/{name.replace('.', '/')}"
    for name in (
        "kernel.apparmor_restrict_unprivileged_userns",
        "kernel.unprivileged_userns_clone",
        "kernel.yama.ptrace_scope",
        "user.max_user_namespaces",
    )
}
# Files that containers have, the most telling ones first.
_TRACES: Final = (
    ("kubepods", "kubernetes"),
    ("/docker/", "docker"),
    ("docker-", "docker"),
    ("libpod", "podman"),
    ("/containers/storage/", "podman"),
    ("/lxc/", "lxc"),
)
_READ_AND_ENTER: Final = 0o005


@dataclass(frozen=True, slots=True)
class Place:
    """The description. Pure data, which :mod:`advice` judges.

    Attributes:
        container: `docker`, `podman`, `kubernetes`, another kind, or "" outside containers.
        service: the CI service whose variables are set: `github`, `gitlab` or "".
        root: whether the user is root.
        filtered: whether a filter of system calls is active already.
        masked_proc: whether parts of /proc are covered.
        apparmor: the AppArmor profile of this process; "" if it has none.
        sysctls: the kernel's settings that exist, by name.
        lsm: the security modules that the kernel was started with; None if that cannot be read.
        closed: the interpreter's directory that other users cannot read; "" if they can.
    """

    container: str = ""
    service: str = ""
    root: bool = False
    filtered: bool = False
    masked_proc: bool = False
    apparmor: str = ""
    sysctls: Mapping[str, int] = field(default_factory=dict)
    lsm: str | None = None
    closed: str = ""


def look_around() -> Place:
    """Describe this place; a file that cannot be read counts as missing."""
    mounts = _read("/proc/self/mountinfo") or ""
    status = _read("/proc/self/status") or ""
    values = {name: _read(path) for name, path in _SYSCTLS.items()}
    return Place(
        container=container(os.environ, os.path.exists, _read("/proc/self/cgroup") or "", mounts),
        service="github" if "GITHUB_ACTIONS" in os.environ else "gitlab" if "GITLAB_CI" in os.environ else "",
        root=os.geteuid() == 0,
        filtered="\nSeccomp:\t2" in status,
        masked_proc=any(line.split()[4].startswith("/proc/") for line in mounts.splitlines()),
        apparmor=apparmor_profile(_read("/proc/self/attr/apparmor/current") or _read("/proc/self/attr/current") or ""),
        sysctls={name: int(value) for name, value in values.items() if value and value.strip().isdigit()},
        lsm=_read("/sys/kernel/security/lsm"),
        closed=_closed_directory(Path(sys.prefix).resolve()) or _closed_directory(Path(sys.executable).resolve()),
    )


def container(environment: Mapping[str, str], exists: Callable[[str], bool], groups: str, mounts: str) -> str:
    """Return the kind of container; "" outside containers.

    Parameters:
        environment: this process's environment.
        exists: whether a file exists.
        groups: this process's control groups, as /proc shows them.
        mounts: its mounts, likewise.
    """
    if "KUBERNETES_SERVICE_HOST" in environment or exists("/var/run/secrets/kubernetes.io"):
        return "kubernetes"
    if exists("/run/.containerenv"):
        return "podman"
    if exists("/.dockerenv"):
        return "docker"
    if named := environment.get("container"):
        return named
    # Only the root's own mount: a machine with an engine also has mounts for its containers.
    root = "".join(line for line in mounts.splitlines() if line.split()[4:5] == ["/"])
    return next((kind for trace, kind in _TRACES if trace in groups + root), "")


def apparmor_profile(text: str) -> str:
    """Return the profile in a process's `attr/current`; "" if the process is not confined."""
    name = text.strip().strip("\0").removesuffix(" (enforce)")
    return "" if name == "unconfined" or "(" in name or ":" in name else name


def _closed_directory(path: Path) -> str:
    """Return the first directory on a path that other users cannot read and enter."""
    for directory in (*reversed(path.parents), path):
        try:
            status = directory.stat()
        except OSError:
            return str(directory)
        if stat.S_ISDIR(status.st_mode) and status.st_mode & _READ_AND_ENTER != _READ_AND_ENTER:
            return str(directory)
    return ""


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return None
