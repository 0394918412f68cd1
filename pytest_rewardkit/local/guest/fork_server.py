"""The fork server: one warm, jailed, single-threaded process from which every sandbox is cloned."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import (
    canary,
    killing,
    syscalls,
)
from pytest_rewardkit.local.guest.events import ChildSignals, handle_signals
from pytest_rewardkit.local.guest.resource_limits import ResourceLimits
from pytest_rewardkit.local.guest.sandboxes import Sandboxes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.guest.becoming import Template
    from pytest_rewardkit.local.guest.cgroups import ControlGroups
    from pytest_rewardkit.local.wire.channel import Channel
    from pytest_rewardkit.local.wire.frames import Frame, Message

_CANARY_SECONDS: Final = 60.0
"""If it takes longer, its plan does not work; so this must not be the fault of a busy machine."""


def thread_count() -> int:
    """Return how many threads this process has; with more than one it cannot be forked safely."""
    return len(os.listdir("/proc/self/task"))


class ForkServer:
    """Makes and ends sandboxes at the server's request.

    Parameters:
        template: what the sandboxes have in common.
        groups: where they get their control groups, if they can have any.
        machines_kills: counts the processes that the kernel has ended around this one; None if nothing counts them.
    """

    def __init__(self, template: Template, groups: ControlGroups | None, machines_kills: int | None) -> None:
        self.plan = template.plan
        self._channel: Channel | None = None
        self._poll = select.poll()
        self._sandboxes = Sandboxes(template, groups, machines_kills, self._poll, self._tell)
        syscalls.set_child_subreaper()
        handle_signals()
        self._ended = ChildSignals()
        self._poll.register(self._ended, select.POLLIN)

    def try_out(self) -> None:
        """Make a sandbox, run a cell in it and end it, all in the same way as at the server's request.

        Raises:
            CanaryError, OSError, RequestError: sandboxes of this plan do not work here.
        """
        alive = canary.Canary(guest_paths=self.plan.guest_paths)
        until = time.monotonic() + _CANARY_SECONDS
        try:
            pid = self._sandboxes.spawn(canary.NAME, canary.LIMITS, alive.guests_end)
            alive.send()
            alive.watch(self._poll)
            while not alive.done:
                self._turn(until, alive.heed)
            alive.close(self._poll)
            self._sandboxes.kill(pid)
            while not self._sandboxes.gone(pid):
                self._turn(until)
        except BaseException:
            self._sandboxes.end_all()
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
            return  # the server left in the middle of a message
        finally:
            self._sandboxes.end_all()

    def _turn(self, until: float | None = None, heed: Callable[[int], None] | None = None) -> bool:
        """Do the next thing; return False if the server has closed the channel.

        Parameters:
            until: the time by which there must be something to do.
            heed: takes other descriptors that are ready.

        Raises:
            TimeoutError: there was nothing to do until then.
        """
        wait_ms = self._sandboxes.wait_ms()
        if until is not None:
            left_ms = max(0, int((until - time.monotonic()) * 1000))
            if not left_ms:
                raise TimeoutError(f"a sandbox did not run a cell within {_CANARY_SECONDS:g} s")
            wait_ms = left_ms if wait_ms is None else min(wait_ms, left_ms)
        for descriptor, _ in self._poll.poll(wait_ms):
            if descriptor == self._ended.fileno():
                self._ended.clear()
                self._sandboxes.reap()
            elif self._channel is not None and descriptor == self._channel.fileno():
                if not self._serve_requests(self._channel):
                    return False
            else:
                self._sandboxes.heed(descriptor)
                if heed is not None:
                    heed(descriptor)
        self._sandboxes.look()
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
                    self._sandboxes.kill(self._running_pid(message))
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
            raise RequestError(Code.INVALID_ARGUMENT, f"spawn takes the guest's channel alone, {len(received)} came")
        try:
            limits = ResourceLimits.from_message(message.get("limits") or {})
        except ValueError as error:
            raise RequestError(Code.INVALID_ARGUMENT, str(error)) from error
        if thread_count() > 1:
            raise RequestError(Code.FAILED_PRECONDITION, "the fork server has more than one thread")
        name = str(message.get("sandbox", ""))
        if not name.isalnum():
            raise RequestError(Code.INVALID_ARGUMENT, f"not a sandbox's id: {name!r}")
        return self._sandboxes.spawn(name, limits, received[0])

    def _running_pid(self, message: Message) -> int:
        pid = message.get("pid")
        if not isinstance(pid, int) or pid not in self._sandboxes:
            raise RequestError(Code.NOT_FOUND, f"no sandbox {pid!r}")
        return pid
