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
            self._budget.held -= 1


class Budget:
    """At most `limit` sandboxes alive at once in all processes that share `directory`.

    Each slot is a locked file: the operating system gives a dead worker's slots back.

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

    def acquire(self) -> Slot:
        """Waits for a free slot.

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
        while True:
            for number in range(self._limit):
                slot = self._try(number)
                if slot is not None:
                    return slot
            if time.monotonic() > deadline:
                raise SandboxUnavailable(
                    f"none of the {self._limit} sandboxes that --rewardkit-max-sandboxes allows became free in "
                    f"{self._patience:g} s"
                )
            time.sleep(RETRY_SECONDS)

    def _try(self, number: int) -> Slot | None:
        lock = FileLock(self._directory / f"slot-{number}", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        self.held += 1
        return Slot(self, lock)
