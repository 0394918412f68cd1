"""Isolation levels: which layers hold around a sandbox, decided from what was found to work here. Pure.

The levels, strongest first:

- full: namespaces of its own for mounts, processes, network, IPC and host name, a user of its own, a private root.
- ns-nocap: the same namespaces for an ordinary user, but no right to mount in them; Landlock guards files.
- uid: no namespaces, but a user id of its own (needs root); Landlock guards files.
- landlock: the same user id as the server; Landlock guards files and signals.
- weak: as landlock, on a kernel whose Landlock lets signals through, or without Landlock or seccomp.
- none: a clean environment and resource limits, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.landlock import ABI_WITH_SCOPES


class Level(StrEnum):
    """An isolation level; see the module."""

    FULL = "full"
    NS_NOCAP = "ns-nocap"
    UID = "uid"
    LANDLOCK = "landlock"
    WEAK = "weak"
    NONE = "none"


AUTO: Final = "auto"
STRICT: Final = "strict"

_NAMESPACES: Final = (
    syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS | syscalls.CLONE_NEWNET
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What works on this machine for this user; see probe.py.

    Attributes:
        root: whether the user is root, with the right to become another user.
        readable_interpreter: whether another user could read the interpreter where it lies.
        mounts: whether a private root can be built and sandboxes can mount in their own namespaces.
        user_namespaces: whether a process can be given a user namespace of its own.
        namespaces: whether all namespaces can be made at once, with no capability used in them.
        landlock_abi: the kernel's Landlock ABI version; 0 is none.
        seccomp: whether system calls can be filtered.
    """

    root: bool
    readable_interpreter: bool
    mounts: bool
    user_namespaces: bool
    namespaces: bool
    landlock_abi: int
    seccomp: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The layers that sandboxes get.

    Attributes:
        level: the level that these layers make.
        clone_flags: the namespaces of a sandbox.
        private_root: whether the fork server moves into a root of its own, and sandboxes mount their own directories.
        user_namespace_at_clone: whether the user namespace comes first, to get the right to mount from it.
        user_namespace_after_mounts: whether it comes last, when root has mounted.
        own_user_id: whether each sandbox has its own user id on the host.
        landlock_abi: the Landlock ABI to use; 0 is none.
        seccomp: whether to filter system calls.
        translated_paths: whether system calls on a private root's paths are led to the sandbox's own directories.
        groups: the version of the control groups that limit a sandbox as a whole; empty is none.
    """

    level: Level
    clone_flags: int = 0
    private_root: bool = False
    user_namespace_at_clone: bool = False
    user_namespace_after_mounts: bool = False
    own_user_id: bool = False
    landlock_abi: int = 0
    seccomp: bool = False
    translated_paths: bool = False
    groups: str = ""

    @property
    def guest_paths(self) -> bool:
        """Whether /home/user, /tmp and /dev/shm are the sandbox's own for code."""
        return self.private_root or self.translated_paths

    @property
    def counts_processes(self) -> bool:
        """Whether the kernel counts each sandbox's processes apart, without a control group."""
        return self.process_namespace or self.own_user_id

    @property
    def process_namespace(self) -> bool:
        """Whether a sandbox's processes see only each other, and all end with its agent."""
        return bool(self.clone_flags & syscalls.CLONE_NEWPID)

    @property
    def user_namespace(self) -> bool:
        """Whether user 1000 of the sandbox is another user of the host."""
        return self.user_namespace_at_clone or self.user_namespace_after_mounts

    def layers(self) -> dict[str, bool | int | str]:
        """Return the layers by name, for people."""
        return {
            "private root": self.private_root,
            "translated paths": self.translated_paths,
            "process namespace": self.process_namespace,
            "network namespace": bool(self.clone_flags & syscalls.CLONE_NEWNET),
            "user namespace": self.user_namespace,
            "own user id": self.own_user_id,
            "landlock abi": self.landlock_abi,
            "seccomp": self.seccomp,
            "memory in all": self.groups or "watchdog",
        }

    def gaps(self) -> list[str]:
        """Return what these layers leave open, for people; never empty, as every sandbox shares the host's kernel."""
        found = ["a flaw of the host's kernel would break out: this is no virtual machine"]
        if not self.groups:
            found.append("memory of all processes together is only watched, not limited")
        if not self.guest_paths:
            found.append("/home/user and /tmp do not exist for code, only for the SDK's files")
        if not self.private_root:
            found.append("disk use is limited for each file, not in all")
        if not self.process_namespace:
            found.append("commands of a sandbox cannot signal each other")
        if not (self.counts_processes or self.groups):
            found.append("processes are counted over all sandboxes, and root's not at all")
        if not self.process_namespace and not self.own_user_id and self.landlock_abi < ABI_WITH_SCOPES:
            found.append("a candidate can signal the server's and other sandboxes' processes")
        if not self.private_root and not self.landlock_abi:
            found.append("a candidate can read and write whatever the server's user can")
        if not self.seccomp:
            found.append("every system call is open, the host's network too")
        return found


def available(findings: Findings) -> list[Level]:
    """Return the levels that can be had, strongest first; `none` always can."""
    landlock = findings.landlock_abi > 0
    conditions = {
        Level.FULL: findings.seccomp and findings.mounts,
        # Root can mount in namespaces that it can make; and as root, processes are not counted without an own user id.
        Level.NS_NOCAP: findings.seccomp and findings.namespaces and landlock and not findings.root,
        Level.UID: findings.seccomp and findings.root and findings.readable_interpreter and landlock,
        Level.LANDLOCK: findings.seccomp and findings.landlock_abi >= ABI_WITH_SCOPES,
        Level.WEAK: findings.seccomp or landlock,
        Level.NONE: True,
    }
    return [level for level in Level if conditions[level]]


def choose(findings: Findings, wanted: str) -> Level | None:
    """Return the level for `auto`, for `strict` or for a level's name; None where it cannot be had.

    No protection at all is had by its name only.
    """
    options = available(findings)
    if wanted == AUTO:
        return options[0] if options[0] is not Level.NONE else None
    if wanted == STRICT:
        return Level.FULL if Level.FULL in options else None
    return Level(wanted) if Level(wanted) in options else None


def plan(findings: Findings, level: Level) -> Plan:
    """Return the layers for a level that is :func:`available`."""
    match level:
        case Level.FULL:
            return Plan(
                level,
                clone_flags=_NAMESPACES | (0 if findings.root else syscalls.CLONE_NEWUSER),
                private_root=True,
                user_namespace_at_clone=not findings.root,
                user_namespace_after_mounts=findings.root and findings.user_namespaces,
                own_user_id=findings.root,
                landlock_abi=findings.landlock_abi,
                seccomp=True,
            )
        case Level.NS_NOCAP:
            return Plan(
                level,
                clone_flags=_NAMESPACES | syscalls.CLONE_NEWUSER,
                user_namespace_at_clone=True,
                landlock_abi=findings.landlock_abi,
                seccomp=True,
                translated_paths=True,
            )
        case Level.UID:
            abi = findings.landlock_abi
            return Plan(level, own_user_id=True, landlock_abi=abi, seccomp=True, translated_paths=True)
        case Level.LANDLOCK:
            return Plan(level, landlock_abi=findings.landlock_abi, seccomp=True, translated_paths=True)
        case Level.WEAK:
            # On a kernel where more would hold, weak is asked for to see what it is like without it.
            abi = min(findings.landlock_abi, ABI_WITH_SCOPES - 1)
            seccomp = findings.seccomp
            return Plan(level, landlock_abi=abi, seccomp=seccomp, translated_paths=seccomp)
        case Level.NONE:
            return Plan(level)
