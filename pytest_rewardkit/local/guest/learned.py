"""Imports in advance the modules that this run's candidates are reported to import: names that nobody has vouched for.

A candidate can have any installed package imported here, but none of its own: imports run in a place that holds only
the machine's installed packages. They run with as few rights as possible. A module is refused if its import does more
than make it available.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import RefusedModuleError
from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.fork_server import thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_rewardkit.local.guest.shelf import Shelf

MAX_GROWTH_MB: Final = 256
"""How much all modules together may take: each sandbox is a copy of the process that holds them."""

_NOBODY: Final = 65534
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def stock(shelf: Shelf, names: Sequence[str]) -> list[str]:
    """Import modules; return those that could be imported.

    Raises:
        RefusedModuleError: a module does what it must not; this process is of no use any more.
    """
    loaded = []
    before = _resident_mb()
    # This process needs no network, and its sandboxes get their own.
    with contextlib.suppress(OSError):
        syscalls.unshare(syscalls.CLONE_NEWNET)
    for name in names:
        # If a module fails, a cell that imports it in a sandbox sees the error.
        with _quietly(name), _kept_handlers(), _few_rights(), contextlib.suppress(Exception, SystemExit):
            shelf.put(name)
            loaded.append(name)
        if thread_count() > 1:
            raise RefusedModuleError(name, "it starts threads")
        if _resident_mb() - before > MAX_GROWTH_MB:
            raise RefusedModuleError(name, f"it takes too much of the {MAX_GROWTH_MB} MiB for all modules")
    return loaded


@contextlib.contextmanager
def _quietly(name: str) -> Iterator[None]:
    """Refuse a module that writes on import: every sandbox that imports it has to show that output."""
    streams = [os.dup(number) for number in (1, 2)]
    written = os.memfd_create("written", os.MFD_CLOEXEC)
    try:
        for number in (1, 2):
            os.dup2(written, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, stream in zip((1, 2), streams, strict=True):
            os.dup2(stream, number)
            os.close(stream)
        size = os.fstat(written).st_size
        os.close(written)
    if size:
        raise RefusedModuleError(name, "it writes when it is imported")


@contextlib.contextmanager
def _kept_handlers() -> Iterator[None]:
    """Restore the signal handlers afterwards."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


@contextlib.contextmanager
def _few_rights() -> Iterator[None]:
    """Be an ordinary user for a while, if this process is root."""
    if os.geteuid() != 0:
        yield
        return
    group = os.getegid()
    try:
        os.setegid(_NOBODY)
        os.seteuid(_NOBODY)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # In a user namespace without another user, its root is an ordinary user of the machine.
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        syscalls.set_dumpable(True)


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES / 2**20
