"""Ends what a fork server leaves behind that is killed, where the kernel does not: without process namespaces.

A process whose parents have ended belongs to its next ancestor that adopts such processes. The keeper is the fork
server's parent and nothing else, so it outlives a fork server that fails.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final, NoReturn

from pytest_rewardkit.local.guest import descriptors, killing, syscalls

_END_SECONDS: Final = 10


def go_on_below_keeper() -> None:
    """Leave this process behind as the keeper, and return in a child that ends with it."""
    keeper = os.getpid()
    syscalls.set_child_subreaper()
    pid = os.fork()
    if pid:
        _keep(pid)
    syscalls.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)


def _keep(pid: int) -> NoReturn:
    """Wait for the fork server's end, end what is left below this process, and end as the fork server did."""
    status = 1
    try:
        # A terminal's interrupts do not end a fork server.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        descriptors.keep_only([])
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        signal.alarm(_END_SECONDS)  # there may be processes that this one may not kill
        _end_the_rest()
        signal.alarm(0)
        if status < 0:
            with contextlib.suppress(OSError):  # SIGKILL cannot be handled anyway
                signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
    finally:
        os._exit(status & 0xFF)


def _end_the_rest() -> None:
    while True:
        killing.kill_descendants(os.getpid())
        try:
            os.wait()
        except ChildProcessError:
            return
