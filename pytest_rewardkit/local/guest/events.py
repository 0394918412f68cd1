"""Wakes a poll when a child process has ended."""

from __future__ import annotations

import contextlib
import signal
import socket
from typing import Final

from pytest_rewardkit.local.guest import syscalls

_CHUNK: Final = 4096


def handle_signals() -> None:
    """Have signals of children's ends wake a poll, in this process and in those that are cloned from it."""
    # SIG_DFL would not wake the poll, or would end the process when a terminal interrupts its group. Unlike ignored
    # signals, handled ones are the default again in the programs that are started.
    signal.signal(signal.SIGCHLD, _do_nothing)
    # The guest stops and continues a candidate for each path that it translates.
    syscalls.mute_stops_of_children()
    signal.signal(signal.SIGINT, _do_nothing)


class ChildSignals:
    """Becomes readable when a child has ended.

    A process has at most one. The process, or one that it was cloned from, has called `handle_signals`.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._reader.fileno()

    def clear(self) -> None:
        """Make it unreadable until the next child ends."""
        with contextlib.suppress(BlockingIOError):
            while self._reader.recv(_CHUNK):
                pass


def _do_nothing(*_: object) -> None:
    pass
