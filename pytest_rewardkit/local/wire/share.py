"""How much of the server's time one sandbox may take with the data that it sends, so that others need not wait."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

FRACTION = 0.2
"""A sandbox's part of the time that passes."""
SAVED_SECONDS = 0.25
"""How much time it may take at once: most of what candidates send never has to wait."""
SLICE_SECONDS = 0.001
"""How long it may take before others get their turn."""


class _Readable(Protocol):
    def fileno(self) -> int: ...


class Share:
    """The server's time for one sandbox.

    Parameters:
        fraction: how much of the passing time it may take.
        saved: how many seconds of unused time it may take at once.
    """

    def __init__(self, fraction: float = FRACTION, saved: float = SAVED_SECONDS) -> None:
        self._fraction = fraction
        self._most = self._left = saved
        self._at = time.monotonic()

    def spend(self, seconds: float) -> float:
        """Note time that was taken; return for how long no more of the sandbox's data should be read."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._fraction) - seconds
        self._at = now
        return max(0.0, -self._left / self._fraction)


class SharedSource:
    """A descriptor that is read as data comes, unless its reader has to stop or its sandbox's share is used up.

    Parameters:
        readable: a descriptor, or an object that has one; the source's creator closes it.
        on_readable: called when there is something to read.
        share: the share of the server's time; None for a trusted source.
    """

    def __init__(self, readable: _Readable | int, on_readable: Callable[[], object], share: Share | None) -> None:
        # asyncio would format a socket as text, for an error message that nobody sees.
        self._readable = readable if isinstance(readable, int) else readable.fileno()
        self._on_readable = on_readable
        self._share = share
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._listening = False
        self._rest: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._update()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called last."""
        return self._stopped

    @property
    def overdue(self) -> bool:
        """Whether it is others' turn."""
        return self._share is not None and time.thread_time() - self._began > SLICE_SECONDS

    def begin(self) -> None:
        """Count the time from here on, until `end`."""
        self._began = time.thread_time()

    def end(self, again: Callable[[], object] | None = None) -> None:
        """Note the time since `begin`, and rest if it was too long.

        Parameters:
            again: called after others have had their turn, if some of the read data is left.
        """
        pause = self._share.spend(time.thread_time() - self._began) if self._share is not None else 0.0
        if pause or again is not None:
            if self._rest is not None:
                self._rest.cancel()
            self._rest = self._loop.call_later(pause, self._go_on, again)
        self._update()

    def stop(self) -> None:
        """Stop calling back, until `go_on`."""
        self._stopped = True
        self._update()

    def go_on(self) -> None:
        """Call back again."""
        self._stopped = False
        self._update()

    def close(self) -> None:
        """Stop calling back for good."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self.stop()

    def _go_on(self, again: Callable[[], object] | None) -> None:
        self._rest = None
        if again is not None:
            again()
        self._update()

    def _update(self) -> None:
        listening = not self._stopped and self._rest is None
        if listening == self._listening:
            return
        self._listening = listening
        if listening:
            self._loop.add_reader(self._readable, self._on_readable)
        else:
            self._loop.remove_reader(self._readable)
