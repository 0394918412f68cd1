"""The sandboxes of one fork server: how they are made, and how they end with all that belongs to them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.endings import MACHINE_MEMORY, OWN_MEMORY
from pytest_rewardkit.local.guest import becoming, confinement, identity, killing, path_calls, seccomp, syscalls
from pytest_rewardkit.local.guest.homes import Directories, Homes
from pytest_rewardkit.local.guest.kill_count import KillCount
from pytest_rewardkit.local.guest.overuse import Overuse

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from pytest_rewardkit.local.guest.becoming import Template
    from pytest_rewardkit.local.guest.cgroups import ControlGroup, ControlGroups
    from pytest_rewardkit.local.guest.plan import IsolationPlan
    from pytest_rewardkit.local.guest.resource_limits import ResourceLimits
    from pytest_rewardkit.local.wire.frames import Message

_FAMILIES_IN_OWN_NETWORK: Final = frozenset({socket.AF_UNIX, socket.AF_INET, socket.AF_INET6})


@dataclass(slots=True)
class _Running:
    """A sandbox as the fork server knows it."""

    name: str
    user_id: int | None
    link: socket.socket
    group: ControlGroup | None
    kills: KillCount | None
    lacks_memory: bool = False


@dataclass(slots=True)
class _Removal:
    """Directories of an ended sandbox that are being removed, and the event to send when they are."""

    process: subprocess.Popen[bytes]
    event: Message


class Sandboxes:
    """Makes, ends and reaps sandboxes.

    Parameters:
        template: what all sandboxes have in common.
        groups: where they get their control groups, if they can have any.
        machines_kills: counts the processes that the kernel has ended around this one; None if nothing counts them.
        poll: gets the descriptors to watch.
        tell: called with an event for the server when a sandbox has ended.
    """

    def __init__(
        self,
        template: Template,
        groups: ControlGroups | None,
        machines_kills: int | None,
        poll: select.poll,
        tell: Callable[[Message], None],
    ) -> None:
        plan = template.plan
        self._template = template
        self._plan = plan
        self._groups = groups
        self._machines_kills = machines_kills
        self._poll = poll
        self._tell = tell
        self._homes = None if template.own_root is not None else Homes()
        self._user_ids = identity.HostUserIds() if plan.own_user_id else None
        self._seccomp_program = _seccomp_program(plan)
        self._waiting_program = seccomp.compile_waiting(path_calls.names()) if plan.translated_paths else None
        self._running: dict[int, _Running] = {}
        self._removals: dict[int, _Removal] = {}
        self._links: dict[int, int] = {}
        self._overuse = Overuse(plan, self._poll, self._give_up)

    def __contains__(self, pid: object) -> bool:
        return pid in self._running

    def gone(self, pid: int) -> bool:
        """Whether nothing is left of a sandbox, nor of others that have ended."""
        return pid not in self._running and not self._removals

    def wait_ms(self) -> int | None:
        """Return in how many milliseconds to :meth:`look` again; None if there is nothing to look at."""
        return self._overuse.wait_ms()

    def look(self) -> None:
        """End those that take more than they may."""
        self._overuse.look()

    def heed(self, descriptor: int) -> None:
        """Take what `poll` has reported, if it concerns a sandbox."""
        if descriptor in self._links:
            self._heed_link(descriptor)
        else:
            self._overuse.heed(descriptor)

    def spawn(self, name: str, limits: ResourceLimits, channel: int) -> int:
        """Make a sandbox; return the number of its first process.

        Parameters:
            name: its name.
            limits: what it may use.
            channel: the descriptor of its connection to the server.
        """
        group = None
        if self._groups is not None:
            group = self._groups.make(name, limits, disk_in_memory=self._plan.private_root)
        user_id = self._user_ids.take() if self._user_ids is not None else None
        directories = self._homes.make(name, user_id) if self._homes is not None else Directories()
        kills = self._kills_of(group)
        link, child_end = socket.socketpair()
        box = confinement.Confinement(
            plan=self._plan,
            limits=limits,
            group=group,
            kills=kills,
            user_id=user_id,
            directories=directories,
            seccomp_program=self._seccomp_program,
            waiting_program=self._waiting_program,
            link=child_end,
        )
        pid = syscalls.clone(self._plan.clone_flags, group.descriptor if group is not None else None)
        if pid == 0:
            becoming.become(box, channel, self._template)
        child_end.close()
        self._links[link.fileno()] = pid
        self._poll.register(link, select.POLLIN)
        self._overuse.add(pid, limits.memory_mb, link, group)
        self._running[pid] = _Running(name, user_id, link, group, kills)
        return pid

    def _kills_of(self, group: ControlGroup | None) -> KillCount | None:
        if group is not None:
            return group.kills
        return KillCount(self._machines_kills) if self._machines_kills is not None else None

    def kill(self, pid: int) -> None:
        """End a sandbox with all that runs in it."""
        user_id = self._running[pid].user_id
        if self._plan.process_namespace:
            pass  # the others end with the first
        elif user_id is not None:
            killing.kill_user(user_id)
        else:
            killing.kill_descendants(pid)
        # A sandbox that has just been made may not have changed to its user yet.
        os.kill(pid, signal.SIGKILL)

    def reap(self) -> None:
        """Clean up after every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._take_ended(pid, status)

    def _take_ended(self, pid: int, status: int) -> None:
        """Clean up after an ended child, and tell the server once nothing of its sandbox is left."""
        if pid in self._removals:
            removal = self._removals.pop(pid)
            # Popen must not wait for it again.
            removal.process.returncode = status
            self._tell(removal.event)
        if pid not in self._running:
            return
        exceeded = self._overuse.remove(pid)
        ended = self._running.pop(pid)
        self._forget_link(ended)
        ended.link.close()
        event: Message = {"event": "exit", "pid": pid, "status": os.waitstatus_to_exitcode(status)}
        if ended.lacks_memory or (not exceeded and self._suffered(ended, status)):
            event["reason"] = MACHINE_MEMORY
        elif exceeded:
            event["reason"] = OWN_MEMORY
        if not self._plan.process_namespace:
            self._end_survivors(ended.user_id)
        if ended.group is not None and self._groups is not None:
            self._groups.remove(ended.group)
        if ended.user_id is not None and self._user_ids is not None:
            self._user_ids.give_back(ended.user_id)
        if self._homes is None:
            self._tell(event)
        else:
            process = self._homes.start_removing(ended.name)
            self._removals[process.pid] = _Removal(process, event)

    def _suffered(self, ended: _Running, status: int) -> bool:
        """Whether the kernel has ended processes of a sandbox for memory that others took."""
        if ended.group is not None:
            return ended.group.suffers()
        if not self._plan.guards_signals or not os.WIFSIGNALED(status):
            return False  # a candidate may have ended the sandbox's first process
        return ended.kills is not None and ended.kills.risen_for_others()

    def _end_survivors(self, user_id: int | None) -> None:
        """End processes that have outlived their guest."""
        if user_id is not None:
            killing.kill_user(user_id)
        else:
            # Orphans are this process's children by now.
            killing.kill_descendants(os.getpid(), spare={*self._running, *self._removals})

    def end_all(self) -> None:
        """End every sandbox and wait until they have ended."""
        for pid in list(self._running):
            with contextlib.suppress(OSError):
                self.kill(pid)
        while self._running or self._removals:
            pid, status = os.waitpid(-1, 0)
            with contextlib.suppress(OSError):
                self._take_ended(pid, status)
        if self._homes is not None:
            self._homes.close()
        if self._groups is not None:
            self._groups.close()

    def _heed_link(self, descriptor: int) -> None:
        pid = self._links[descriptor]
        running = self._running[pid]
        try:
            word = running.link.recv(1, socket.MSG_DONTWAIT)
            if word == confinement.MAPS_WANTED:
                user_id, group_id = (running.user_id,) * 2 if running.user_id else (os.getuid(), os.getgid())
                identity.write_maps(pid, user_id, group_id)
                running.link.sendall(confinement.MAPS_WRITTEN)
            elif word == confinement.MEMORY_FREED:
                self._overuse.freed(pid)
            elif word == confinement.MACHINE_LACKS:
                self._give_up(pid)
            else:
                self._forget_link(running)
        except BlockingIOError:
            pass  # the descriptor was another link's when it was reported
        except OSError:
            self._forget_link(running)  # the sandbox has failed meanwhile, and is reaped in its turn

    def _give_up(self, pid: int) -> None:
        """End a sandbox that can no longer be judged, because the machine lacks memory."""
        self._running[pid].lacks_memory = True
        self.kill(pid)

    def _forget_link(self, running: _Running) -> None:
        if self._links.pop(running.link.fileno(), None) is not None:
            self._poll.unregister(running.link)


def _seccomp_program(plan: IsolationPlan) -> bytes | None:
    if not plan.seccomp:
        return None
    families: frozenset[int] = _FAMILIES_IN_OWN_NETWORK if plan.private_root else frozenset()
    return seccomp.compile_program(families, datagram_pairs=plan.private_root, tracing=plan.translated_paths)
