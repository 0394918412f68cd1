"""Signals all processes of a sandbox from outside, even if they change their group, session or parent."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.guest import process_tree

if TYPE_CHECKING:
    from collections.abc import Collection

# Each round finds what the processes of the last one started meanwhile. Limits on processes make this end.
_MAX_ROUNDS: Final = 100


def kill_descendants(pid: int, *, spare: Collection[int] = ()) -> None:
    """Kill every process below `pid`, but not `pid` itself. It must be a subreaper, so daemons are killed too.

    Parameters:
        spare: children of `pid` that are left alone, with all below them.
    """
    # Stopped processes cannot fork, so none is missed.
    _signal(stop_descendants(pid, spare=spare), signal.SIGKILL)


def stop_descendants(pid: int, *, spare: Collection[int] = ()) -> set[int]:
    """Stop every process below `pid`, as :func:`kill_descendants` finds them; return them."""
    stopped: set[int] = set()
    for _ in range(_MAX_ROUNDS):
        new = set(process_tree.descendants(pid, spare=spare)) - stopped
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        stopped |= new
    return stopped


def continue_descendants(pid: int) -> None:
    """Let every stopped process below `pid` continue."""
    _signal(process_tree.descendants(pid), signal.SIGCONT)


def kill_user(user_id: int) -> None:
    """Kill every process of a user; needs root."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.setresgid(user_id, user_id, user_id)
            os.setresuid(user_id, user_id, user_id)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(pid, 0)


def _signal(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)
