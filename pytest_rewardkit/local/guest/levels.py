"""Which isolation level is possible, and by which layers, decided from what works on this machine. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.landlock import ABI_WITH_SCOPES
from pytest_rewardkit.local.guest.plan import IsolationPlan, Level, MountRight, with_paths

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


AUTO: Final = "auto"
STRICT: Final = "strict"

_NAMESPACES: Final = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS


class Feature(StrEnum):
    """A feature that is tried on a machine."""

    MOUNTS = "mounts"
    """Building a private root, and mounting in namespaces of its own."""
    OVERLAYS = "overlays"
    """Laying a file system of its own over a directory there."""
    PROCFS = "procfs"
    """Mounting a /proc there."""
    USER_NAMESPACES = "user namespaces"
    """Giving a process its own user namespace."""
    NAMESPACES = "namespaces"
    """Making all namespaces at once, without using a capability in them."""
    INTERPRETER = "interpreter"
    """Reading the interpreter's files, wherever they are, as another user."""
    SECCOMP = "seccomp"
    """Filtering system calls."""
    PATHS = "paths"
    """Making others' system calls wait, and having them made with other paths."""


@dataclass(frozen=True, slots=True)
class MachineFindings:
    """What works on this machine for this user; see probe.py.

    Attributes:
        root: whether the user is root, with the right to become another user.
        mount_right: how the right to mount was obtained when mounting was tried.
        landlock_abi: the kernel's Landlock ABI version; 0 is none.
        obstacles: why trials failed, by feature.
    """

    root: bool
    mount_right: MountRight
    landlock_abi: int
    obstacles: Mapping[Feature, str]

    def works(self, trial: Feature) -> bool:
        """Return whether a trial succeeded."""
        return trial not in self.obstacles


def obstacle(findings: MachineFindings, level: Level) -> str:
    """Return why a level is not possible; "" if it is."""
    landlock = (
        "" if findings.landlock_abi else "the kernel has no Landlock, or it is not among those it was started with"
    )
    not_root = "" if findings.root else "the user is not root, or may not become another user"
    weak_scopes = f"Landlock's ABI is {findings.landlock_abi}, and signals are guarded from {ABI_WITH_SCOPES} on"
    tried = {trial: findings.obstacles.get(trial, "") for trial in Feature}
    reasons: tuple[str, ...]
    match level:
        case Level.FULL:
            reasons = (tried[Feature.SECCOMP], tried[Feature.MOUNTS], tried[Feature.PROCFS])
        case Level.NO_PROCFS:
            reasons = (tried[Feature.SECCOMP], tried[Feature.MOUNTS])
        case Level.NS_NOCAP:
            root = "as root, processes are not counted without a user id of their own" if findings.root else ""
            reasons = (tried[Feature.SECCOMP], root, tried[Feature.NAMESPACES], landlock)
        case Level.UID:
            reasons = (tried[Feature.SECCOMP], not_root, tried[Feature.INTERPRETER], landlock)
        case Level.LANDLOCK:
            scopes = "" if findings.landlock_abi >= ABI_WITH_SCOPES else weak_scopes
            reasons = (tried[Feature.SECCOMP], landlock, scopes)
        case Level.WEAK:
            reasons = (tried[Feature.SECCOMP] and landlock,)
        case Level.NONE:
            reasons = ()
    return next(filter(None, reasons), "")


def wanted(name: str) -> list[Level]:
    """Return the levels that `auto`, `strict` or a level's name stands for, strongest first.

    The level without any protection is only chosen by its own name.
    """
    if name == AUTO:
        return [level for level in Level if level is not Level.NONE]
    return [Level.FULL if name == STRICT else Level(name)]


def strongest(findings: MachineFindings, name: str, failed: Collection[str]) -> IsolationPlan | None:
    """Return the strongest plan that may work, of those that a name stands for; None if there is none.

    Code without its own /home/user and /tmp would earn other rewards, so such plans are only chosen by a level's own
    name.

    Parameters:
        failed: the names of plans that were tried and failed.
    """
    for level in wanted(name):
        if obstacle(findings, level):
            continue
        whole = plan(findings, level)
        for candidate in (whole, replace(whole, translated_paths=False)):
            if candidate.name not in failed and (candidate.guest_paths or name == level):
                return candidate
    return None


def refusals(
    findings: MachineFindings, name: str, failed: Mapping[str, str], had: IsolationPlan | None
) -> dict[str, str]:
    """Return why stronger plans that the name also stands for are not possible, by plan."""
    found: dict[str, str] = {}
    for level in wanted(name):
        if reason := obstacle(findings, level):
            found[level.value] = reason
        elif not plan(findings, level).guest_paths:
            found[with_paths(level)] = findings.obstacles[Feature.PATHS]
        found |= {tried: failed[tried] for tried in (with_paths(level), level.value) if tried in failed}
        if had is not None and level is had.level:
            break
    return found


def plan(findings: MachineFindings, level: Level) -> IsolationPlan:
    """Return the layers for a level that has no :func:`obstacle`."""
    translated_paths = findings.works(Feature.PATHS)
    match level:
        case Level.FULL | Level.NO_PROCFS:
            own_user = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNET
            # Root mounts first. Then a user namespace gives the rights that root lacks, such as the right to the
            # network in most containers. An ordinary user needs a user namespace to mount.
            first = 0
            if findings.mount_right is MountRight.USER_OF_NAMESPACE:
                first = own_user
            elif not findings.works(Feature.USER_NAMESPACES):
                first = syscalls.CLONE_NEWNET
            return IsolationPlan(
                level,
                clone_flags=_NAMESPACES | first,
                late_flags=0 if first else own_user,
                mount_right=findings.mount_right,
                overlays=findings.works(Feature.OVERLAYS),
                procfs=level is Level.FULL,
                own_user_id=findings.mount_right is not MountRight.USER_OF_NAMESPACE,
                landlock_abi=findings.landlock_abi,
                seccomp=True,
            )
        case Level.NS_NOCAP:
            return IsolationPlan(
                level,
                clone_flags=_NAMESPACES | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUSER,
                landlock_abi=findings.landlock_abi,
                seccomp=True,
                translated_paths=translated_paths,
            )
        case Level.UID:
            abi = findings.landlock_abi
            return IsolationPlan(
                level, own_user_id=True, landlock_abi=abi, seccomp=True, translated_paths=translated_paths
            )
        case Level.LANDLOCK:
            return IsolationPlan(
                level, landlock_abi=findings.landlock_abi, seccomp=True, translated_paths=translated_paths
            )
        case Level.WEAK:
            # On a kernel that allows more, people ask for weak to see what happens without that.
            abi = min(findings.landlock_abi, ABI_WITH_SCOPES - 1)
            seccomp = findings.works(Feature.SECCOMP)
            return IsolationPlan(level, landlock_abi=abi, seccomp=seccomp, translated_paths=translated_paths)
        case Level.NONE:
            return IsolationPlan(level, translated_paths=translated_paths)
