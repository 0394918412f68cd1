"""Ends the processes of a sandbox that has no process namespace to end them with."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Each round finds what the last one's processes started meanwhile; process limits make this end.
_MAX_ROUNDS: Final = 100
_ENDED: Final = ("Z", "X")


def kill_descendants(pid: int, *, spare: Collection[int] = ()) -> None:
    """Kill every process below `pid`, not itself; daemons too, as it must be a subreaper.

    Parameters:
        spare: children of `pid` that are left alone, with what is below them.
    """
    # Stopped processes cannot fork, so the second loop has an end in sight.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        seen: set[int] = set()
        for _ in range(_MAX_ROUNDS):
            found = set(_descendants(pid, spare))
            if number == signal.SIGSTOP:
                found -= seen
            if not found:
                break
            for descendant in found:
                with contextlib.suppress(OSError):
                    os.kill(descendant, number)
            seen |= found


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


def _descendants(pid: int, spare: Collection[int]) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parent = _living_parent(name)
                if parent is not None:
                    children.setdefault(parent, []).append(int(name))
    pending = [child for child in children.get(pid, []) if child not in spare]
    while pending:
        descendant = pending.pop()
        yield descendant
        pending.extend(children.get(descendant, []))


def _living_parent(name: str) -> int | None:
    with open(f"/proc/{name}/stat", "rb") as file:
        # The program's name stands in parentheses and may hold anything.
        fields = file.read().rpartition(b")")[2].split()
    return None if fields[0].decode() in _ENDED else int(fields[1])
