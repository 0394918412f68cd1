"""The layers that make an isolation level, and what they leave open. Pure.

The levels, strongest first:

- full: own namespaces for mounts, processes, network, IPC and host name, its own user, and a private root.
- no-procfs: the same, but without its own /proc, which cannot be mounted; Landlock guards the server's.
- ns-nocap: the same namespaces for an ordinary user, but no right to mount in them; Landlock guards files.
- uid: no namespaces, but its own user id (needs root); Landlock guards files.
- landlock: the same user id as the server; Landlock guards files and signals.
- weak: as landlock, on a kernel whose Landlock lets signals through, or without Landlock or seccomp.
- none: a clean environment, resource limits, and a sandbox's own /home/user and /tmp; nothing protects.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.landlock import ABI_WITH_SCOPES


class Level(StrEnum):
    """An isolation level; see the module's docstring."""

    FULL = "full"
    NO_PROCFS = "no-procfs"
    NS_NOCAP = "ns-nocap"
    UID = "uid"
    LANDLOCK = "landlock"
    WEAK = "weak"
    NONE = "none"


class MountRight(StrEnum):
    """How the fork server gets the right to mount."""

    ROOT = "root"
    """It is root, and has the right."""
    ROOT_OF_NAMESPACE = "root of a user namespace"
    """It is root without the right, and becomes root of a user namespace that has every user id."""
    USER_OF_NAMESPACE = "user of a user namespace"
    """It is an ordinary user, and becomes root of a user namespace that has no other id."""


@dataclass(frozen=True, slots=True)
class IsolationPlan:
    """The layers that sandboxes get.

    Attributes:
        level: the level that these layers make.
        clone_flags: the namespaces that a sandbox is cloned into.
        late_flags: the namespaces that it makes after it has mounted; they belong to its own user, and the
            user namespace is the first of them.
        mount_right: how the fork server gets the right to move into its own root, where sandboxes mount their own
            directories; None if there is no such root.
        overlays: whether sandboxes see the system's files in file systems of their own, with separate locks.
        shared_directories: the system's directories for which that does not work, found when the root is built.
        procfs: whether sandboxes mount their own /proc; if not, they have the fork server's.
        own_user_id: whether each sandbox has its own user id on the host.
        landlock_abi: the Landlock ABI to use; 0 is none.
        seccomp: whether to filter system calls.
        translated_paths: whether system calls on a private root's paths lead to the sandbox's own directories.
        groups: the version of the control groups that limit a sandbox as a whole; "" if there are none.
    """

    level: Level
    clone_flags: int = 0
    late_flags: int = 0
    mount_right: MountRight | None = None
    overlays: bool = False
    shared_directories: tuple[str, ...] = ()
    procfs: bool = False
    own_user_id: bool = False
    landlock_abi: int = 0
    seccomp: bool = False
    translated_paths: bool = False
    groups: str = ""

    @property
    def name(self) -> str:
        """A name that tells the plan from the level's other possible plans."""
        return with_paths(self.level) if self.translated_paths else self.level.value

    @property
    def guest_paths(self) -> bool:
        """Whether code finds the sandbox's own /home/user, /tmp and /dev/shm."""
        return self.private_root or self.translated_paths

    @property
    def private_root(self) -> bool:
        """Whether sandboxes have their own file system."""
        return self.mount_right is not None

    @property
    def user_namespace_at_clone(self) -> bool:
        """Whether a sandbox enters its user namespace first, to get the right to mount from it."""
        return bool(self.clone_flags & syscalls.CLONE_NEWUSER)

    @property
    def user_namespace_after_mounts(self) -> bool:
        """Whether it enters its user namespace last, after root has mounted."""
        return bool(self.late_flags & syscalls.CLONE_NEWUSER)

    @property
    def network_namespace(self) -> bool:
        """Whether a sandbox has its own network."""
        return bool((self.clone_flags | self.late_flags) & syscalls.CLONE_NEWNET)

    @property
    def counts_processes(self) -> bool:
        """Whether the kernel counts each sandbox's processes separately, without a control group."""
        return self.process_namespace or self.own_user_id

    @property
    def process_namespace(self) -> bool:
        """Whether a sandbox's processes see only each other, and all end with its guest."""
        return bool(self.clone_flags & syscalls.CLONE_NEWPID)

    @property
    def guards_signals(self) -> bool:
        """Whether a candidate cannot end processes outside of its sandbox, nor its guest."""
        return self.process_namespace or self.own_user_id or self.landlock_abi >= ABI_WITH_SCOPES

    @property
    def user_namespace(self) -> bool:
        """Whether user 1000 of the sandbox is another user of the host."""
        return self.user_namespace_at_clone or self.user_namespace_after_mounts

    def layers(self) -> dict[str, bool | int | str]:
        """Return the layers by name, for people."""
        return {
            "private root": self.private_root,
            "translated paths": self.translated_paths,
            "own file locks": self._own_locks(),
            "own procfs": self.procfs,
            "process namespace": self.process_namespace,
            "network namespace": self.network_namespace,
            "user namespace": self.user_namespace,
            "own user id": self.own_user_id,
            "landlock abi": self.landlock_abi,
            "seccomp": self.seccomp,
            "memory in all": self.groups or "watchdog",
        }

    def gaps(self) -> list[str]:
        """Return what these layers leave open, for people; never empty, since all sandboxes share the host's kernel."""
        found = ["a flaw of the host's kernel would break out: this is no virtual machine"]
        found.extend(self._gaps_of_shared_files())
        if not self.groups:
            found.append("memory of all processes together is only watched, not limited")
        if not self.guest_paths:
            found.append("/home/user and /tmp do not exist for code, only for the SDK's files")
        if not self.private_root:
            found.append("disk use is limited for each file, not in all")
        if self.private_root and not self.procfs:
            found.append("/proc is the server's: code reads there what is about the machine, not what is in /proc/self")
        if not self.process_namespace:
            found.append("commands of a sandbox cannot signal each other")
        if not (self.counts_processes or self.groups):
            found.append("processes are counted over all sandboxes, and root's not at all")
        if not self.guards_signals:
            found.append("a candidate can signal the server's and other sandboxes' processes")
        if not self.private_root and not self.landlock_abi:
            found.append("a candidate can read and write whatever the server's user can")
        if not self.seccomp:
            found.append("every system call is open, the host's network too")
        return found

    def _own_locks(self) -> bool | str:
        return f"not in {', '.join(self.shared_directories)}" if self.shared_directories else self.overlays

    def _gaps_of_shared_files(self) -> list[str]:
        if self.overlays:
            listed = ", ".join(self.shared_directories)
            return [f"a candidate can lock and watch files in {listed}, which others notice"] if listed else []
        if self.private_root or not (self.translated_paths and self.seccomp):
            return ["a candidate can lock and watch the system's files, which others notice"]
        found = ["by a race between threads a candidate can lock ranges of the system's files, but not to write"]
        if self.process_namespace:
            found = [f"{found[0]}, and by relative paths watch its directories"]
        if not self.own_user_id:
            found.append("what Linux counts for each user is bounded for a sandbox, but counted over all of them")
        return found


def with_paths(level: Level) -> str:
    """Return the name of a level's plan with translated paths."""
    return f"{level} with translated paths"
