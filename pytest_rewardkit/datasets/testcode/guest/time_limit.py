"""Limits of time that what runs within them is interrupted at, again and again if it takes no notice."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


WALL_FACTOR = 5.0
"""How many times its seconds of processor time a run may take in all: a busy machine is not the test's fault."""


class TimeUp(BaseException):
    """What runs has had its time."""


@contextmanager
def processor_time_limit(seconds: float) -> Iterator[None]:
    """Interrupts what runs within when it has had its processor time, and a test that only waits later."""

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
    """Interrupts what runs within, again and again if it takes no notice the first time."""

    def interrupt(*_: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
