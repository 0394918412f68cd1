"""A bound on the sandboxes that a run has alive at once, over all its processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

RETRY_SECONDS = 0.02
"""How long to wait before the slots are tried again. No call waits for one of several locks."""

PATIENCE_SECONDS = 600.0
"""How long to wait in all: tests that hold one sandbox and wait for another can wait for each other for ever."""


class Slot:
    """The right to one sandbox, until `release`, or until the process that holds it has died."""

    def __init__(self, budget: Budget, lock: BaseFileLock) -> None:
        self._budget = budget
        self._lock = lock

    def release(self) -> None:
        if self._lock.is_locked:
            self._lock.release()
            self._budget.given_back()


class Budget:
    """At most `limit` sandboxes alive at once in all processes that share `directory`.

    Each slot is a locked file: the operating system gives a dead worker's slots back. Who may want more than one takes
    a turn first, by one more locked file: two that hold one and want another would wait for each other for ever.

    Parameters:
        directory: a directory that the run's processes share.
        limit: sandboxes alive at once, 1 or more.
        patience: seconds to wait for a slot.
    """

    def __init__(self, directory: Path, limit: int, *, patience: float = PATIENCE_SECONDS) -> None:
        self._directory = directory
        self._limit = limit
        self._patience = patience
        self.held = 0
        self._turn: BaseFileLock | None = None

    def acquire(self, *, several: bool = False) -> Slot:
        """Waits for a free slot.

        Parameters:
            several: whether there may be a call for another slot before this one is released.

        Raises:
            RewardkitUsageError: this process holds all slots already, so that none could ever become free.
            SandboxUnavailable: none became free in time.
        """
        if self.held >= self._limit:
            raise RewardkitUsageError(
                f"this test wants {self.held + 1} sandboxes at once, and --rewardkit-max-sandboxes allows {self._limit}"
            )
        self._directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self._patience
        wants_turn = several and self._limit > 1 and self._turn is None
        while True:
            if wants_turn and (turn := self._lock("turn")) is not None:
                self._turn, wants_turn = turn, False
            slot = None if wants_turn else self._free_slot()
            if slot is not None:
                return slot
            if time.monotonic() > deadline:
                self._end_turn()
                raise SandboxUnavailable(
                    f"none of the {self._limit} sandboxes that --rewardkit-max-sandboxes allows became free in "
                    f"{self._patience:g} s"
                )
            time.sleep(RETRY_SECONDS)

    def given_back(self) -> None:
        """Takes note that a slot was released."""
        self.held -= 1
        self._end_turn()

    def _free_slot(self) -> Slot | None:
        for number in range(self._limit):
            if (lock := self._lock(f"slot-{number}")) is not None:
                self.held += 1
                return Slot(self, lock)
        return None

    def _end_turn(self) -> None:
        if self._turn is not None and not self.held:
            self._turn.release()
            self._turn = None

    def _lock(self, name: str) -> BaseFileLock | None:
        lock = FileLock(self._directory / name, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock
