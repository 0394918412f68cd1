"""Time limits that interrupt the code within them, repeatedly if it ignores the interrupt."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


WALL_FACTOR = 5.0
"""A run's limit on the clock, as a multiple of its processor time: a busy machine is not the test's fault."""


class TimeUp(BaseException):
    """The time limit of the running code has passed."""


@contextmanager
def processor_time_limit(seconds: float) -> Iterator[None]:
    """Interrupts the code within when its processor time is used up; a test that only waits is interrupted later."""

    def interrupt(*_: Any) -> None:
        raise TimeUp(f"the test code did not end within {seconds:.3g} s")

    timers = (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, WALL_FACTOR * seconds),
    )
    before = [signal.signal(number, interrupt) for _, number, _ in timers]
    for timer, _, length in timers:
        signal.setitimer(timer, length, 0.1)
    try:
        yield
    finally:
        for timer, _, _ in timers:
            signal.setitimer(timer, 0)
        for (_, number, _), handler in zip(timers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def wall_time_limit(seconds: float) -> Iterator[None]:
    """Interrupts the code within, repeatedly if it ignores the first interrupt."""

    def interrupt(*_: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
