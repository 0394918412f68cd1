"""A waiting line over processes: first come, first served, and whoever holds something already before all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.sandboxes.quota.bell import Bell, ring
from pytest_rewardkit.sandboxes.quota.lock import Lock, locked, try_lock

if TYPE_CHECKING:
    from pathlib import Path

_BELL: Final = ".bell"


class Ticket:
    """A place in a line, until `leave`, or until the process that has it ends."""

    def __init__(self, line: WaitingLine, path: Path, lock: Lock) -> None:
        self._line = line
        self._path = path
        self._lock = lock
        self._bell = Bell(path.with_name(path.name + _BELL))

    @property
    def is_first(self) -> bool:
        """Whether nobody is before it."""
        return self._line.first() == self._path.name

    def wait(self, seconds: float) -> None:
        """Wait until there may be news, for so many seconds at most."""
        self._bell.wait(seconds)

    def leave(self) -> None:
        """Leave the line; whoever is the first now is woken."""
        self._bell.close()
        self._path.unlink(missing_ok=True)
        self._lock.release()
        self._line.wake()


class WaitingLine:
    """Those who wait for one thing.

    Parameters:
        directory: where they leave their tickets: files that are locked, with names in the order of their turns.
        name: of the thing.
        owner: who waits in it here, by a name that nobody else on the machine has.
    """

    def __init__(self, directory: Path, name: str, owner: str) -> None:
        self._directory = directory
        self._owner = owner
        self._prefix = f"{name}-"
        self._guard = directory / f"{name}.guard"

    def join(self, *, holds: bool) -> Ticket:
        """Take a ticket.

        Parameters:
            holds: whether others may wait for what this one holds already.
        """
        with locked(self._guard):
            number = 1 + max((int(name.split("-")[2]) for name in self._names()), default=0)
            path = self._directory / f"{self._prefix}{0 if holds else 1}-{number:09}-{self._owner}"
            lock = try_lock(path)
            assert lock is not None
        return Ticket(self, path, lock)

    def first(self) -> str:
        """The name of the first ticket of a process that lives; nothing where there is none."""
        with locked(self._guard):
            return next((name for name in self._names() if self._lives(name)), "")

    def wake(self) -> None:
        """Wake the first."""
        if first := self.first():
            ring(self._directory / (first + _BELL))

    def owners(self) -> set[str]:
        """Who waits."""
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
