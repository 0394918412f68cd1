"""The end of a program's time."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.running.failures import sandbox_failures

if TYPE_CHECKING:
    from types import TracebackType

    from e2b_code_interpreter import CommandHandle

    from pytest_rewardkit.scorers.running.counted_time import CountedTime


class Deadline:
    """Ends a program when its time is up. A context manager.

    Parameters:
        handle: the running program.
        time: its time.
    """

    def __init__(self, handle: CommandHandle, time: CountedTime) -> None:
        self._handle = handle
        self._time = time
        self._ended = False
        self._reached = False
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._end, name="rewardkit-deadline", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()

    def has_ended_it(self) -> bool:
        """Whether the program was still running when its time was up."""
        if self._reached:
            self._watch.join()
        return self._ended

    def _end(self) -> None:
        if not self._time.runs_out(self._over.wait):
            return
        self._reached = True
        with suppress(SandboxUnavailable), sandbox_failures():
            self._ended = again(self._handle.kill)
