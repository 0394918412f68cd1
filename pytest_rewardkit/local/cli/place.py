"""What kind of place this is: a container and whose, and what the machine and the container forbid."""

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
# What containers' files say of them, most telling first.
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
    """What was found. Pure data, for :mod:`advice` to judge.

    Attributes:
        container: `docker`, `podman`, `kubernetes`, another kind, or nothing outside of containers.
        service: the CI service whose variables there are: `github`, `gitlab` or nothing.
        root: whether the user is root.
        filtered: whether a filter of system calls holds already.
        masked_proc: whether parts of /proc are covered.
        apparmor: the AppArmor profile that this process has; nothing where it has none.
        sysctls: the settings of the kernel that there are, by their names.
        lsm: the security modules that the kernel was started with; None where that cannot be read.
        closed: the directory of the interpreter that other users cannot read; nothing when they can.
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
    """Find out about this place; whatever cannot be read, is taken as not there."""
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
    """Return the kind of container; nothing outside of them.

    Parameters:
        environment: this process's.
        exists: whether a file is there.
        groups: this process's control groups, as /proc has them.
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
    # The root's own mount, not those that a machine with an engine has for its containers.
    root = "".join(line for line in mounts.splitlines() if line.split()[4:5] == ["/"])
    return next((kind for trace, kind in _TRACES if trace in groups + root), "")


def apparmor_profile(text: str) -> str:
    """Return the profile that a process's `attr/current` names; nothing where it is not confined."""
    name = text.strip().strip("\0").removesuffix(" (enforce)")
    return "" if name == "unconfined" or "(" in name or ":" in name else name


def _closed_directory(path: Path) -> str:
    """Return the first directory on the way to a path that other users cannot read and enter."""
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
