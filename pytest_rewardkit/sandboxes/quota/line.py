"""A waiting line over processes: first come, first served, except that holders of a slot come before all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.sandboxes.quota.bell import Bell, ring
from pytest_rewardkit.sandboxes.quota.lock import Lock, locked, try_lock

if TYPE_CHECKING:
    from pathlib import Path

_BELL: Final = ".bell"


class Ticket:
    """A place in a line, until `leave` or until its process ends."""

    def __init__(self, line: WaitingLine, path: Path, lock: Lock) -> None:
        self._line = line
        self._path = path
        self._lock = lock
        self._bell = Bell(path.with_name(path.name + _BELL))

    @property
    def is_first(self) -> bool:
        """Whether no ticket is before it."""
        return self._line.first() == self._path.name

    def wait(self, seconds: float) -> None:
        """Wait until something may have changed, at most so many seconds."""
        self._bell.wait(seconds)

    def leave(self) -> None:
        """Leave the line, and wake the next one."""
        self._bell.close()
        self._path.unlink(missing_ok=True)
        self._lock.release()
        self._line.wake()


class WaitingLine:
    """The processes that wait for one thing.

    Parameters:
        directory: holds their tickets: locked files, named in the order of their turns.
        name: of the thing.
        owner: who waits in the line here, by a name that is unique on the machine.
    """

    def __init__(self, directory: Path, name: str, owner: str) -> None:
        self._directory = directory
        self._owner = owner
        self._prefix = f"{name}-"
        self._guard = directory / f"{name}.guard"

    def join(self, *, holds: bool) -> Ticket:
        """Take a ticket.

        Parameters:
            holds: whether this process already holds something that others may wait for.
        """
        with locked(self._guard):
            number = 1 + max((int(name.split("-")[2]) for name in self._names()), default=0)
            path = self._directory / f"{self._prefix}{0 if holds else 1}-{number:09}-{self._owner}"
            lock = try_lock(path)
            assert lock is not None
        return Ticket(self, path, lock)

    def first(self) -> str:
        """Return the name of the first ticket of a live process; "" if there is none."""
        with locked(self._guard):
            return next((name for name in self._names() if self._lives(name)), "")

    def wake(self) -> None:
        """Wake the first in the line."""
        if first := self.first():
            ring(self._directory / (first + _BELL))

    def owners(self) -> set[str]:
        """Return the owners of the tickets in the line."""
        with locked(self._guard):
            return {name.split("-")[3] for name in self._names() if self._lives(name)}

    def _names(self) -> list[str]:
        names = (path.name for path in self._directory.iterdir())
        return sorted(name for name in names if name.startswith(self._prefix) and not name.endswith(_BELL))

    def _lives(self, name: str) -> bool:
        path = self._directory / name
        lock = try_lock(path)
        if lock is None:
            return True
        path.unlink(missing_ok=True)
        path.with_name(name + _BELL).unlink(missing_ok=True)
        lock.release()
        return False
