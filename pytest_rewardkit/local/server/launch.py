"""Starting a fork server. Imports little, so that the fork server boots while the server imports the rest."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


STANDARD_ERROR = 2
"""Its descriptor: `sys.stderr` may be another, or none, in a process that captures what it writes."""


@dataclass(frozen=True, slots=True)
class ForkServerProcess:
    """A fork server that has been started, and the server's end of its channel."""

    process: subprocess.Popen[bytes]
    sock: socket.socket


def launch(options: Sequence[str] = ()) -> ForkServerProcess:
    """Start a fork server.

    Its environment holds nothing of this process's: what is in it can be read by every candidate.

    Parameters:
        options: more options of `python -m pytest_rewardkit.local.guest`.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "pytest_rewardkit.local.guest", "--fd", str(theirs.fileno()), *options],
            pass_fds=[theirs.fileno()],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=STANDARD_ERROR,
            start_new_session=True,
        )
    return ForkServerProcess(process, ours)


def options_after(failed: Mapping[str, str]) -> list[str]:
    """Options of a fork server that is to try something else than what others have tried in vain.

    Parameters:
        failed: what they said they tried, and why it failed.
    """
    return [f"--failed={json.dumps(failed)}"] if failed else []


def ended_early(status: int) -> str:
    """What it means that a fork server ended before it was ready.

    Parameters:
        status: its exit status, negative for a signal.
    """
    if status == -signal.SIGALRM:
        return "a root of its own was not there in time"
    return f"the fork server ended with status {status} before it was ready"
