"""The share of a candidate's time that counts."""

from __future__ import annotations

import time

import pytest

from pytest_rewardkit.local.counted_share import MAX_LIMITS, counted_share
from pytest_rewardkit.scorers.running import counted_time
from pytest_rewardkit.scorers.running.counted_time import CountedTime

SECOND = 10**9


@pytest.mark.parametrize(
    ("threads", "share"),
    [
        ({}, 1.0),
        ({"1": [10 * SECOND, 0]}, 1.0),  # it ran
        ({"1": [0, 0]}, 1.0),  # it slept
        ({"1": [2 * SECOND, 8 * SECOND]}, 0.2),  # others had the processor
        ({"1": [2 * SECOND, 3 * SECOND]}, 0.7),  # and it also slept
        ({"1": [SECOND, SECOND], "2": [2 * SECOND, 5 * SECOND]}, 0.5),
        ({str(number): [int(2.5 * SECOND), int(7.5 * SECOND)] for number in range(8)}, 1.0),  # its own waits
        ({str(number): [SECOND // 4, 9 * SECOND] for number in range(8)}, 0.2),  # eight; others had most
        ({"1": [0, 10 * SECOND]}, 1 / MAX_LIMITS),
        ({"1": [2 * SECOND, 3 * SECOND], "server:9": [0, 2 * SECOND], "client:7": [0, SECOND]}, 0.4),  # on the way
        ({"1": [9 * SECOND, 0], "server:9": [0, 8 * SECOND]}, 0.9),  # it ran meanwhile
    ],
)
def test_what_a_sandbox_had_to_wait_for_does_not_count(threads: dict[str, list[int]], share: float) -> None:
    before = {name: [5 * SECOND, 7 * SECOND] for name in threads}
    after = {name: [5 * SECOND + ran, 7 * SECOND + waited] for name, (ran, waited) in threads.items()}
    assert counted_share(before, after, 10.0) == pytest.approx(share)
    assert counted_share({}, threads, 10.0) == pytest.approx(share)


class _Clock:
    """A run on a machine where it gets a share of a processor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, part: float | None, needs: float) -> None:
        self.now = 0.0
        self._part = part
        self._end = needs if part is None else needs / part
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(counted_time, "look", lambda _: self.look())

    def look(self) -> dict[str, list[int]] | None:
        if self._part is None:
            return None
        return {"1": [int(self.now * self._part * SECOND), int(self.now * (1 - self._part) * SECOND)]}

    def wait(self, seconds: float) -> bool:
        self.now = min(self.now + seconds, max(self._end, self.now))
        return self.now >= self._end


@pytest.mark.parametrize(
    ("part", "needs", "runs_out", "at"),
    [
        (1.0, 4.9, False, 4.9),
        (1.0, 100.0, True, 5.0),
        (0.25, 4.5, False, 18.0),
        (0.25, 100.0, True, 20.0),
        (0.01, 100.0, True, 50.0),  # never forever
        (None, 100.0, True, 5.0),
        (None, 1.0, False, 1.0),
    ],
)
def test_a_limit_is_one_of_time_that_counts(
    monkeypatch: pytest.MonkeyPatch, part: float | None, needs: float, runs_out: bool, at: float
) -> None:
    clock = _Clock(monkeypatch, part, needs)
    assert CountedTime(None, 5.0).runs_out(clock.wait) is runs_out  # type: ignore[arg-type]
    assert clock.now == pytest.approx(at, rel=0.05)


def test_a_late_look_does_not_judge_by_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look comes when the limit is over already: what counts of that shows in the time to come."""
    clock = _Clock(monkeypatch, 0.25, 4.5)
    looks = iter([6.0])

    def look(_: object) -> dict[str, list[int]] | None:
        clock.now += next(looks, 0.0)
        return clock.look()

    monkeypatch.setattr(counted_time, "look", look)
    assert CountedTime(None, 5.0).runs_out(clock.wait) is False  # type: ignore[arg-type]
