"""The steps by which a freshly cloned process becomes a sandbox. Their order is what makes them hold."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import identity, landlock, layout, network, syscalls
from pytest_rewardkit.local.guest.identity import GUEST_ID
from pytest_rewardkit.local.guest.plan import Level

if TYPE_CHECKING:
    from pytest_rewardkit.local.guest.cgroups import ControlGroup
    from pytest_rewardkit.local.guest.homes import Directories
    from pytest_rewardkit.local.guest.kill_count import KillCount
    from pytest_rewardkit.local.guest.plan import IsolationPlan
    from pytest_rewardkit.local.guest.resource_limits import ResourceLimits
    from pytest_rewardkit.local.guest.root import Root

# What a sandbox and the fork server tell each other over their link.
MAPS_WANTED: Final = b"?"
"""The sandbox has its user namespace, which the fork server has to map."""
MAPS_WRITTEN: Final = b"!"
MEMORY_EXCEEDED: Final = b"M"
"""The sandbox's processes take more memory than they may, and must end."""
MEMORY_FREED: Final = b"."
"""They have ended."""
MACHINE_LACKS: Final = b"L"
"""The kernel has ended a process of the sandbox though the sandbox was not at its own limit of memory."""

_READABLE_ETC: Final = tuple(f"/etc/{name}" for name in ("group", "hosts", "nsswitch.conf", "passwd"))


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one sandbox gets.

    Attributes:
        plan: the layers.
        limits: the resource limits.
        group: its control group, if any.
        kills: tells whether the kernel has ended processes for lack of memory; None if nothing tells.
        user_id: its own user id on the host, if it has one.
        directories: where its own directories are.
        seccomp_program: the filter of system calls, if any.
        waiting_program: the filter that makes candidates' calls wait for translation, if they are translated.
        link: a connected socket to the fork server.
    """

    plan: IsolationPlan
    limits: ResourceLimits
    group: ControlGroup | None
    kills: KillCount | None
    user_id: int | None
    directories: Directories
    seccomp_program: bytes | None
    waiting_program: bytes | None
    link: socket.socket

    def confine(self, own_root: Root | None) -> None:
        """Confine this process, the sandbox's first one, for good.

        Parameters:
            own_root: the root that the fork server has entered, if any.
        """
        plan = self.plan
        if plan.own_user_id:
            os.setgroups([])
        if plan.user_namespace_at_clone:
            if not plan.private_root:
                syscalls.drop_capabilities()
            self._await_maps()
            self._become_guest()
        if own_root is not None:
            self._set_up_namespaces(own_root)
        if plan.late_flags:
            self._enter_late_namespaces()
            self._await_maps()
            self._become_guest()
        elif self.user_id is not None:
            os.setresgid(self.user_id, self.user_id, self.user_id)
            os.setresuid(self.user_id, self.user_id, self.user_id)
        self.limits.apply()
        if plan.level is not Level.NONE:
            syscalls.drop_capabilities()
            syscalls.set_no_new_privileges()
        # The guest holds the channel to the server, so no process beside it may look into it.
        syscalls.set_dumpable(False)
        syscalls.set_child_subreaper()
        syscalls.set_parent_death_signal(signal.SIGKILL)
        if plan.landlock_abi:
            landlock.restrict(self._rules(self._memory), plan.landlock_abi)
        if self.seccomp_program is not None:
            syscalls.load_seccomp_program(self.seccomp_program)

    def _await_maps(self) -> None:
        self.link.sendall(MAPS_WANTED)
        if self.link.recv(1) != MAPS_WRITTEN:
            raise OSError("the fork server did not map the sandbox's user id")

    def _become_guest(self) -> None:
        os.setresgid(GUEST_ID, GUEST_ID, GUEST_ID)
        os.setresuid(GUEST_ID, GUEST_ID, GUEST_ID)

    def _enter_late_namespaces(self) -> None:
        # The kernel counts some resources for each user of the host: here, for the owner of the user namespace.
        if self.user_id is not None:
            syscalls.become_user_with_capabilities(self.user_id)
        syscalls.unshare(self.plan.late_flags)
        network.lead_all_to_loopback()

    def _set_up_namespaces(self, own_root: Root) -> None:
        if self.plan.clone_flags & syscalls.CLONE_NEWNET:
            network.lead_all_to_loopback()
        socket.sethostname(layout.HOST_NAME)
        # A sandbox need not know where its group is in the host's hierarchies.
        with contextlib.suppress(OSError):
            syscalls.unshare(syscalls.CLONE_NEWCGROUP)
        owner = GUEST_ID if self.user_id is None else self.user_id
        own_root.mount_private(owner, GUEST_ID if self.plan.user_namespace else owner, self.limits.disk_mb)
        if self.plan.user_namespace_at_clone:
            identity.limit_user_namespace()
        if self.plan.procfs:
            own_root.mount_proc()
        elif not self.plan.landlock_abi:
            own_root.cover_proc()

    @property
    def _memory(self) -> tuple[str, ...]:
        """Where the guest reads the paths that candidates' calls name, and the properties of their sockets."""
        # In a process namespace, the numbers in the machine's /proc belong to other processes.
        return ("/proc",) if self.waiting_program is not None and not self.plan.process_namespace else ()

    @property
    def candidates_rules(self) -> landlock.LandlockRules | None:
        """What candidates may touch, if that is less than what the guest may touch."""
        return self._rules() if self._memory and self.plan.landlock_abi else None

    def _rules(self, memory: tuple[str, ...] = ()) -> landlock.LandlockRules:
        if self.plan.private_root:
            # A /proc that is not the sandbox's own shows the machine's processes.
            top = ("/",) if self.plan.procfs else (*self._beside_proc(), *layout.READABLE_PROC)
            return landlock.LandlockRules(
                readable=top,
                listable=("/",),
                writable=(layout.HOME, layout.TEMPORARY, layout.SHARED_MEMORY),
                devices=("/dev/pts", *layout.DEVICE_PATHS),
                deny_network=False,
                memory=memory,
            )
        return landlock.LandlockRules(
            listable=(),
            readable=(
                *layout.SYSTEM_PATHS,
                *layout.environment_paths(),
                *layout.READABLE_PROC,
                *_READABLE_ETC,
                self.directories.top,
            ),
            writable=self.directories.writable,
            devices=layout.DEVICE_PATHS,
            deny_network=True,
            memory=memory,
        )

    def _beside_proc(self) -> list[str]:
        return [f"/{name}" for name in os.listdir("/") if name != "proc"]
