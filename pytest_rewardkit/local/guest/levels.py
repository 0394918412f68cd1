"""Which isolation level can be had, and by which layers, decided from what was found to work here. Pure."""

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
    """What is tried on a machine."""

    MOUNTS = "mounts"
    """To build a private root, and mount in namespaces of its own."""
    OVERLAYS = "overlays"
    """To lay a file system of its own over a directory there."""
    PROCFS = "procfs"
    """To mount a /proc there."""
    USER_NAMESPACES = "user namespaces"
    """To give a process a user namespace of its own."""
    NAMESPACES = "namespaces"
    """To make all namespaces at once, with no capability used in them."""
    INTERPRETER = "interpreter"
    """To read the interpreter, where it lies, as another user."""
    SECCOMP = "seccomp"
    """To filter system calls."""
    PATHS = "paths"
    """To have others' system calls wait and be made with other paths."""


@dataclass(frozen=True, slots=True)
class MachineFindings:
    """What works on this machine for this user; see probe.py.

    Attributes:
        root: whether the user is root, with the right to become another user.
        mount_right: how the right to mount was come by when mounting was tried.
        landlock_abi: the kernel's Landlock ABI version; 0 is none.
        obstacles: why trials failed.
    """

    root: bool
    mount_right: MountRight
    landlock_abi: int
    obstacles: Mapping[Feature, str]

    def works(self, trial: Feature) -> bool:
        """Return whether a trial went well."""
        return trial not in self.obstacles


def obstacle(findings: MachineFindings, level: Level) -> str:
    """Return why a level cannot be had; nothing when it can."""
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

    No protection at all is had by its name only.
    """
    if name == AUTO:
        return [level for level in Level if level is not Level.NONE]
    return [Level.FULL if name == STRICT else Level(name)]


def strongest(findings: MachineFindings, name: str, failed: Collection[str]) -> IsolationPlan | None:
    """Return the strongest plan that may work, of those that a name stands for; None when there is none.

    Code that finds no /home/user and no /tmp of its own would earn other rewards: such plans are had by a level's own
    name only.

    Parameters:
        failed: the names of plans that were tried in vain.
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
    """Return why the plans cannot be had that a name stands for too, and that are stronger than the one that is."""
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
    """Return the layers for a level to which there is no :func:`obstacle`."""
    translated_paths = findings.works(Feature.PATHS)
    match level:
        case Level.FULL | Level.NO_PROCFS:
            own_user = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNET
            # Root mounts first. What it then has no right to, as to the network in most containers, a user namespace
            # gives; an ordinary user needs one to mount.
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
            # On a kernel where more would hold, weak is asked for to see what it is like without it.
            abi = min(findings.landlock_abi, ABI_WITH_SCOPES - 1)
            seccomp = findings.works(Feature.SECCOMP)
            return IsolationPlan(level, landlock_abi=abi, seccomp=seccomp, translated_paths=translated_paths)
        case Level.NONE:
            return IsolationPlan(level, translated_paths=translated_paths)
