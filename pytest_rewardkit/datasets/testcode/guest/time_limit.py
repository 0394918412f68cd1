"""Time limits that interrupt the code within them, repeatedly if it ignores the interrupt.

A wait for a processor that others hold is not the code's fault, so it does not count (counted_share.py).
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.counted_share import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


CLOCK_FACTOR = 5.0
"""A run's limit on the clock, as a multiple of its processor time: a test that only waits is interrupted later."""

_FIRST_LOOK = 0.2
_EXACT = 0.02
"""As shares of the limit: when the time begins to be counted, and how near to the limit the end may be."""

_AGAIN = 0.1
"""Seconds until the next interrupt of code that ignores one."""


class TimeUp(BaseException):
    """The time limit of the running code has passed."""


@contextmanager
def processor_time_limit(seconds: float) -> Iterator[None]:
    """Interrupts the code within when its processor time is used up, or `CLOCK_FACTOR` times that by the clock."""
    time_up = f"the test code did not end within {seconds:.3g} s"

    def interrupt() -> None:
        raise TimeUp(time_up)

    with (
        _interrupts(signal.ITIMER_PROF, signal.SIGPROF, seconds, interrupt),
        counted_time_limit(CLOCK_FACTOR * seconds, time_up),
    ):
        yield


@contextmanager
def counted_time_limit(seconds: float, time_up: str = "") -> Iterator[None]:
    """Interrupts the code within when its time by the clock is used up, without its waits for a processor.

    Parameters:
        time_up: the exception's text.
    """
    began = time.monotonic()
    clock: Clock | None = None
    is_up = False

    def look() -> None:
        nonlocal clock, is_up
        # The next look, if this one is interrupted.
        signal.setitimer(signal.ITIMER_REAL, _FIRST_LOOK * seconds, _AGAIN)
        if clock is None:
            clock = Clock()
            # The machine may have stood still; what counts of that shows in the time to come.
            left = max(seconds - (time.monotonic() - began), _FIRST_LOOK * seconds)
        elif not is_up:
            left = seconds - (time.monotonic() - began) * clock.share()
            is_up = left <= _EXACT * seconds
        if is_up:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
            raise TimeUp(time_up)
        signal.setitimer(signal.ITIMER_REAL, left, _AGAIN)

    with _interrupts(signal.ITIMER_REAL, signal.SIGALRM, _FIRST_LOOK * seconds, look):
        yield


@contextmanager
def _interrupts(timer: int, number: signal.Signals, seconds: float, act: Callable[[], None]) -> Iterator[None]:
    def interrupt(*_: Any) -> None:
        act()

    before = signal.signal(number, interrupt)
    signal.setitimer(timer, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)
