"""Limits that code in a sandbox has, on a machine where it gets a share of a processor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.datasets.testcode.guest import time_limit
from pytest_rewardkit.datasets.testcode.guest.time_limit import TimeUp, counted_time_limit
from pytest_rewardkit.local import counted_share
from pytest_rewardkit.local.counted_share import Clock, threads_below

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 10**9


class Machine:
    """Its clock and its timer.

    Parameters:
        part: the share of the time in which code runs; else it waits for a processor. None if nothing counts that.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, part: float | None) -> None:
        self.now = 0.0
        self._part = part
        self._due = 0.0
        self._act: Callable[..., None] = lambda *_: None
        own_time = SimpleNamespace(monotonic=lambda: self.now)
        own_signals = SimpleNamespace(
            signal=self._handle, setitimer=self._set, ITIMER_REAL=signal.ITIMER_REAL, SIGALRM=signal.SIGALRM
        )
        monkeypatch.setattr(time_limit, "time", own_time)
        monkeypatch.setattr(time_limit, "signal", own_signals)
        monkeypatch.setattr(counted_share, "time", own_time)
        monkeypatch.setattr(counted_share, "threads_below", lambda _: self._threads())

    def run(self, needs: float, *, ignores: int = 0) -> None:
        """Run code that needs so many seconds of a processor, and that ignores some interrupts."""
        end = needs if self._part is None else needs / self._part
        while self._due <= end:
            self.now = self._due
            try:
                self._act()
            except TimeUp:
                if not ignores:
                    raise
                ignores -= 1
        self.now = end

    def _threads(self) -> dict[str, list[int]]:
        if self._part is None:
            raise OSError("no such file")
        return {"1": [int(self.now * self._part * SECOND), int(self.now * (1 - self._part) * SECOND)]}

    def _handle(self, _: int, act: Any) -> None:
        self._act = act

    def _set(self, _: int, seconds: float, again: float = 0.0) -> None:
        self._due = self.now + seconds


@pytest.mark.parametrize(
    ("part", "needs", "up_at"),
    [
        (1.0, 4.9, None),
        (1.0, 100.0, 5.0),
        (0.25, 4.5, None),
        (0.25, 100.0, 20.0),
        (0.01, 100.0, 50.0),  # never forever
        (None, 4.9, None),
        (None, 100.0, 5.0),
    ],
)
def test_waits_for_a_processor_do_not_count(
    monkeypatch: pytest.MonkeyPatch, part: float | None, needs: float, up_at: float | None
) -> None:
    machine = Machine(monkeypatch, part)
    if up_at is None:
        with counted_time_limit(5.0):
            machine.run(needs)
        return
    with pytest.raises(TimeUp), counted_time_limit(5.0):
        machine.run(needs)
    assert machine.now == pytest.approx(up_at, rel=0.05)


def test_code_that_ignores_an_interrupt_gets_more(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 1.0)
    with pytest.raises(TimeUp), counted_time_limit(5.0):
        machine.run(100.0, ignores=3)
    assert machine.now == pytest.approx(5.3, rel=0.05)


def test_a_limit_for_all_is_one_of_time_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 0.25)
    clock = Clock()
    machine.now = 16.0
    assert clock.left(20.0, enough=2.0) == 4.0  # no look at the threads is needed to know that it is enough
    assert clock.left(20.0, enough=5.0) == pytest.approx(16.0)


def test_real_threads_are_found_also_those_of_children() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert {str(os.getpid()), str(child.pid)} <= threads_below(os.getpid()).keys()
