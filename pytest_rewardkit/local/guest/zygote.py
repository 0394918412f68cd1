"""The fork server: one warm, jailed, single-threaded process from which every sandbox is cloned."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import (
    canary,
    descriptors,
    identity,
    killing,
    layout,
    path_calls,
    sandbox,
    seccomp,
    syscalls,
)
from pytest_rewardkit.local.guest.agent import Agent
from pytest_rewardkit.local.guest.cgroups import KillCount
from pytest_rewardkit.local.guest.events import ChildSignals
from pytest_rewardkit.local.guest.homes import Directories, Homes
from pytest_rewardkit.local.guest.limits import Limits
from pytest_rewardkit.local.guest.oom import OomScore
from pytest_rewardkit.local.guest.overuse import Overuse
from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from pytest_rewardkit.local.guest.cgroups import Group, Groups
    from pytest_rewardkit.local.guest.plan import Plan
    from pytest_rewardkit.local.guest.root import Root
    from pytest_rewardkit.local.guest.shell import Shell
    from pytest_rewardkit.local.wire.frames import Frame, Message

_FAMILIES_IN_OWN_NETWORK: Final = frozenset({socket.AF_UNIX, socket.AF_INET, socket.AF_INET6})

_CANARY_SECONDS: Final = 10.0


def thread_count() -> int:
    """Return how many threads this process has; with more than one it cannot be forked safely."""
    return len(os.listdir("/proc/self/task"))


@dataclass(slots=True)
class _Running:
    """A sandbox as the fork server knows it."""

    name: str
    user_id: int | None
    link: socket.socket
    group: Group | None
    lacks_memory: bool = False


@dataclass(slots=True)
class _Removal:
    """Directories of an ended sandbox that are being removed, and the event to send when they are."""

    process: subprocess.Popen[bytes]
    event: Message


class Zygote:
    """Makes, kills and reaps sandboxes at the server's request.

    Parameters:
        plan: the layers that sandboxes get.
        shell: the warm interpreter.
        own_root: the root that this process has entered, where there is one; it shows the host's /proc.
        groups: where sandboxes get their control groups, where they can have some.
        machines_kills: what tells how many processes the kernel has ended around this one, where anything does.
        environment: what sandboxes have in their environment.
    """

    def __init__(
        self,
        plan: Plan,
        shell: Shell,
        own_root: Root | None,
        groups: Groups | None,
        machines_kills: int | None,
        environment: dict[str, str],
    ) -> None:
        self._channel: Channel | None = None
        self.plan = plan
        self._shell = shell
        self._root = own_root
        self._groups = groups
        self._machines_kills = machines_kills
        self._environment = environment
        self._homes = None if own_root is not None else Homes()
        self._user_ids = identity.HostUserIds() if plan.own_user_id else None
        self._seccomp_program = _seccomp_program(plan)
        self._waiting_program = seccomp.compile_waiting(path_calls.names()) if plan.translated_paths else None
        self._running: dict[int, _Running] = {}
        self._removals: dict[int, _Removal] = {}
        self._poll = select.poll()
        self._links: dict[int, int] = {}
        self._overuse = Overuse(plan, self._poll, self._give_up)
        syscalls.set_child_subreaper()
        self._ended = ChildSignals()
        self._poll.register(self._ended, select.POLLIN)

    def try_out(self) -> None:
        """Make a sandbox, run a cell in it and end it, all as it is done at the server's request.

        Raises:
            CanaryError, OSError, RequestError: sandboxes of this plan do not work here.
        """
        alive = canary.Canary(guest_paths=self.plan.guest_paths)
        until = time.monotonic() + _CANARY_SECONDS
        try:
            pid = self._spawn(canary.NAME, canary.LIMITS, alive.agents_end)
            alive.send()
            alive.watch(self._poll)
            while not alive.done:
                self._turn(until, alive.heed)
            alive.close(self._poll)
            self._kill(pid)
            while pid in self._running or self._removals:
                self._turn(until)
        except BaseException:
            self._end_all()
            raise

    def serve(self, channel: Channel) -> None:
        """Serve until the server closes the channel; then end every sandbox.

        Parameters:
            channel: the connection to the server.
        """
        self._channel = channel
        self._poll.register(channel, select.POLLIN)
        try:
            while self._turn():
                pass
        except ConnectionError:
            return  # the server has gone in the middle of something
        finally:
            self._end_all()

    def _turn(self, until: float | None = None, heed: Callable[[int], None] | None = None) -> bool:
        """Do what is to be done next; return False when the server has closed the channel.

        Parameters:
            until: when there must have been something to do.
            heed: what takes other descriptors that are ready.

        Raises:
            TimeoutError: there was nothing to do.
        """
        wait_ms = self._overuse.wait_ms()
        if until is not None:
            left_ms = max(0, int((until - time.monotonic()) * 1000))
            if not left_ms:
                raise TimeoutError(f"a sandbox did not run a cell within {_CANARY_SECONDS:g} s")
            wait_ms = left_ms if wait_ms is None else min(wait_ms, left_ms)
        for descriptor, _ in self._poll.poll(wait_ms):
            if descriptor == self._ended.fileno():
                self._ended.clear()
                self._reap()
            elif self._channel is not None and descriptor == self._channel.fileno():
                if not self._serve_requests(self._channel):
                    return False
            elif descriptor in self._links:
                self._heed_sandbox(descriptor)
            else:
                self._overuse.heed(descriptor)
                if heed is not None:
                    heed(descriptor)
        self._overuse.look()
        return True

    def _serve_requests(self, channel: Channel) -> bool:
        frames = channel.receive_available()
        for frame in frames or []:
            self._handle(frame)
        return frames is not None

    def _handle(self, frame: Frame) -> None:
        message = frame.message
        try:
            match message.get("op"):
                case "spawn":
                    answer: Message = {"ok": {"pid": self._spawn_for(message, frame.descriptors)}}
                case "kill":
                    self._kill(self._running_pid(message))
                    answer = {"ok": {}}
                case "pause":
                    halt = killing.stop_descendants if message.get("memory", True) else killing.kill_descendants
                    halt(self._running_pid(message))
                    answer = {"ok": {}}
                case "resume":
                    killing.continue_descendants(self._running_pid(message))
                    answer = {"ok": {}}
                case other:
                    raise RequestError(Code.INVALID_ARGUMENT, f"unknown operation {other!r}")
        except RequestError as error:
            answer = {"error": error.answer()}
        except OSError as error:
            answer = {"error": RequestError(Code.INTERNAL, f"{message.get('op')}: {error}").answer()}
        finally:
            frame.close()
        self._tell({"id": message.get("id"), **answer})

    def _tell(self, message: Message) -> None:
        if self._channel is not None:
            self._channel.send(message)

    def _spawn_for(self, message: Message, received: tuple[int, ...]) -> int:
        if len(received) != 1:
            raise RequestError(Code.INVALID_ARGUMENT, f"spawn takes the agent's channel alone, {len(received)} came")
        try:
            limits = Limits.from_message(message.get("limits") or {})
        except ValueError as error:
            raise RequestError(Code.INVALID_ARGUMENT, str(error)) from error
        if thread_count() > 1:
            raise RequestError(Code.FAILED_PRECONDITION, "the fork server has more than one thread")
        name = str(message.get("sandbox", ""))
        if not name.isalnum():
            raise RequestError(Code.INVALID_ARGUMENT, f"not a sandbox's id: {name!r}")
        return self._spawn(name, limits, received[0])

    def _spawn(self, name: str, limits: Limits, channel: int) -> int:
        group = None
        if self._groups is not None:
            group = self._groups.make(name, limits, disk_in_memory=self.plan.private_root)
        user_id = self._user_ids.take() if self._user_ids is not None else None
        directories = self._homes.make(name, user_id) if self._homes is not None else Directories()
        link, child_end = socket.socketpair()
        box = sandbox.Sandbox(
            plan=self.plan,
            limits=limits,
            group=group,
            kills=self._kills_of(group),
            user_id=user_id,
            directories=directories,
            seccomp_program=self._seccomp_program,
            waiting_program=self._waiting_program,
            link=child_end,
        )
        pid = syscalls.clone(self.plan.clone_flags, group.descriptor if group is not None else None)
        if pid == 0:
            self._become(box, channel)
        child_end.close()
        self._links[link.fileno()] = pid
        self._poll.register(link, select.POLLIN)
        self._overuse.add(pid, limits.memory_mb, link, group)
        self._running[pid] = _Running(name, user_id, link, group)
        return pid

    def _kills_of(self, group: Group | None) -> KillCount | None:
        if group is not None:
            return group.kills
        return KillCount(self._machines_kills) if self._machines_kills is not None else None

    def _become(self, box: sandbox.Sandbox, channel: int) -> NoReturn:
        """Become a sandbox's agent, in a freshly cloned process."""
        # Nothing may leave this method: above it is the fork server's own loop.
        try:
            kept = [channel, box.link.fileno()]
            score = OomScore()
            if (descriptor := score.fileno()) is not None:
                kept.append(descriptor)
            if box.group is not None:
                # First of all, as memory that was taken before does not count.
                box.group.enter()
            if box.kills is not None:
                kept += box.kills.descriptors
            descriptors.silence_stdio()
            descriptors.keep_only(kept)
            agent_channel = Channel(socket.socket(fileno=channel))
            try:
                self._serve_as_agent(box, agent_channel, score)
            except BaseException as error:
                agent_channel.send({"event": "failed", "message": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(0)

    def _serve_as_agent(self, box: sandbox.Sandbox, channel: Channel, score: OomScore) -> None:
        environment = {**self._environment, "HOME": layout.HOME}
        if not self.plan.guest_paths:
            environment |= {"HOME": box.directories.home, "TMPDIR": box.directories.temporary}
        box.confine(self._root)
        Agent(channel, box, score, self._shell, environment).serve()

    def _heed_sandbox(self, descriptor: int) -> None:
        pid = self._links[descriptor]
        running = self._running[pid]
        try:
            word = running.link.recv(1, socket.MSG_DONTWAIT)
            if word == sandbox.MAPS_WANTED:
                user_id, group_id = (running.user_id,) * 2 if running.user_id else (os.getuid(), os.getgid())
                identity.write_maps(pid, user_id, group_id)
                running.link.sendall(sandbox.MAPS_WRITTEN)
            elif word == sandbox.MEMORY_FREED:
                self._overuse.freed(pid)
            elif word == sandbox.MACHINE_LACKS:
                self._give_up(pid)
            else:
                self._forget_link(running)
        except BlockingIOError:
            pass  # it was another one's descriptor when it was reported
        except OSError:
            self._forget_link(running)  # it has failed meanwhile, and is reaped in its turn

    def _give_up(self, pid: int) -> None:
        """End a sandbox of which nothing can be said any more, because the machine lacks memory."""
        self._running[pid].lacks_memory = True
        self._kill(pid)

    def _forget_link(self, running: _Running) -> None:
        if self._links.pop(running.link.fileno(), None) is not None:
            self._poll.unregister(running.link)

    def _running_pid(self, message: Message) -> int:
        pid = message.get("pid")
        if not isinstance(pid, int) or pid not in self._running:
            raise RequestError(Code.NOT_FOUND, f"no sandbox {pid!r}")
        return pid

    def _kill(self, pid: int) -> None:
        user_id = self._running[pid].user_id
        if self.plan.process_namespace:
            pass  # the others end with the first
        elif user_id is not None:
            killing.kill_user(user_id)
        else:
            killing.kill_descendants(pid)
        # A sandbox that has just been made may not be its user yet.
        os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._take_ended(pid, status)

    def _take_ended(self, pid: int, status: int) -> None:
        """Clean up after an ended child, and tell the server when nothing of its sandbox is left."""
        if pid in self._removals:
            removal = self._removals.pop(pid)
            # Popen must not wait for it again.
            removal.process.returncode = status
            self._tell(removal.event)
        if pid not in self._running:
            return
        self._overuse.remove(pid)
        ended = self._running.pop(pid)
        self._forget_link(ended)
        ended.link.close()
        event: Message = {"event": "exit", "pid": pid, "status": os.waitstatus_to_exitcode(status)}
        if ended.lacks_memory or (ended.group is not None and ended.group.suffers()):
            event["reason"] = "machine_memory"
        if not self.plan.process_namespace:
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

    def _end_survivors(self, user_id: int | None) -> None:
        """End what has outlived its agent."""
        if user_id is not None:
            killing.kill_user(user_id)
        else:
            # Orphans are this process's children by now.
            killing.kill_descendants(os.getpid(), spare={*self._running, *self._removals})

    def _end_all(self) -> None:
        for pid in list(self._running):
            with contextlib.suppress(RequestError, OSError):
                self._kill(pid)
        while self._running or self._removals:
            pid, status = os.waitpid(-1, 0)
            with contextlib.suppress(OSError):
                self._take_ended(pid, status)
        if self._homes is not None:
            self._homes.close()
        if self._groups is not None:
            self._groups.close()


def _seccomp_program(plan: Plan) -> bytes | None:
    if not plan.seccomp:
        return None
    families: frozenset[int] = _FAMILIES_IN_OWN_NETWORK if plan.private_root else frozenset()
    return seccomp.compile_program(families, datagram_pairs=plan.private_root, tracing=plan.translated_paths)
