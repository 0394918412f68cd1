"""Starting a fork server. Imports little, so that the fork server boots while the server imports the rest."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.templates.package_environment import OWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_rewardkit.local.templates.package_environment import PackageEnvironment
    from pytest_rewardkit.local.wire.frames import Message


STANDARD_ERROR = 2
"""Its descriptor: if a process captures its output, `sys.stderr` may be another stream, or None."""


class HandedOver:
    """A process that the server's owner has started; only the owner learns how it ends."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def wait(self) -> None:
        """Return at once: the process has ended."""
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class ForkServerProcess:
    """A fork server that has been started.

    Parameters:
        process: its process.
        sock: the server's end of its channel.
        said: the messages that it has sent already.
    """

    process: subprocess.Popen[bytes] | HandedOver
    sock: socket.socket
    said: tuple[Message, ...] = ()

    def to_argument(self) -> str:
        """Return the text from which `handed_over` restores this, in a process that inherits the socket."""
        return json.dumps({"pid": self.process.pid, "fd": self.sock.fileno(), "said": self.said})


def handed_over(argument: str) -> ForkServerProcess:
    """Return the fork server that the server's owner has launched."""
    told: dict[str, Any] = json.loads(argument)
    return ForkServerProcess(HandedOver(told["pid"]), socket.socket(fileno=told["fd"]), tuple(told["said"]))


def launch(
    options: Sequence[str] = (), *, environment: PackageEnvironment = OWN, log: int = STANDARD_ERROR
) -> ForkServerProcess:
    """Start a fork server.

    Its environment holds nothing of this process's environment, because every candidate can read it.

    Parameters:
        options: more options of `python -m pytest_rewardkit.local.guest`.
        environment: the interpreter and the packages of its sandboxes.
        log: a descriptor for its messages to people.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [*environment.command("pytest_rewardkit.local.guest"), "--fd", str(theirs.fileno()), *options],
            pass_fds=[theirs.fileno()],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return ForkServerProcess(process, ours)


def options_after(failed: Mapping[str, str]) -> list[str]:
    """Options of a fork server that has to try another plan than those that failed.

    Parameters:
        failed: the plans that others tried, and why each failed.
    """
    return [f"--failed={json.dumps(failed)}"] if failed else []


def ended(status: int | None) -> str:
    """Says that a fork server has ended, and how.

    Parameters:
        status: its exit status, negative for a signal; None if it is not known.
    """
    return "the fork server ended" if status is None else f"the fork server ended with status {status}"


def ended_early(status: int | None) -> str:
    """Says why a fork server ended before it was ready.

    Parameters:
        status: as for `ended`.
    """
    if status == -signal.SIGALRM:
        return "a root of its own was not there in time"
    return f"{ended(status)} before it was ready"
