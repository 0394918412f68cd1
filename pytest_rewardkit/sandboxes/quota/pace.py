"""Bounds the requests for sandboxes over all processes: never more than the rate arrive in one second."""

from __future__ import annotations

import json
import math
import secrets
import time
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.sandboxes.quota.folder import write_whole
from pytest_rewardkit.sandboxes.quota.lock import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@dataclass(slots=True)
class Request:
    """One request for a sandbox.

    Parameters:
        mark: identifies it.
        sent: when it was about to be sent.
        answered: when its answer arrived; None before that.
    """

    mark: str
    sent: float
    answered: float | None = None

    def arrived(self, now: float, patience: float) -> float:
        """When it has arrived at the latest: with its answer, or else `patience` seconds after it was sent."""
        return min(now if self.answered is None else self.answered, self.sent + patience)


class Pace:
    """Lets requests go so that at most `rate` of them arrive in any second, and at least one interval apart.

    The time that a request travels varies with the machine's load and with connections that are made first. Only its
    answer shows that it has arrived. So a period, in which the allowed number may arrive, is counted from the answer to
    its first request. A request without an answer after one period counts as arrived.

    Parameters:
        directory: shared by all processes that keep to the pace.
        rate: requests per second.
    """

    def __init__(self, directory: Path, rate: float) -> None:
        self._file = directory / "pace.json"
        self._guard = directory / "pace.guard"
        self._turn = directory / "pace.turn"
        self._apart = 1 / rate
        self._many = max(1, math.floor(rate))
        self._period = self._many / rate

    @contextmanager
    def request(self, go_on: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Wait until a request may be sent; the `with` block sends it and waits for its answer.

        Parameters:
            go_on: called during a wait; raises an exception to end it.
        """
        mark = secrets.token_hex(8)
        self._wait(mark, go_on)
        try:
            yield
        finally:
            with locked(self._guard):
                requests = self._known()
                for request in requests:
                    if request.mark == mark:
                        request.answered = time.monotonic()
                self._write(requests)

    def seconds_until_next(self, requests: Sequence[Request], now: float) -> float:
        """Return the least wait in seconds before a further request, given the last ones, the oldest first."""
        due = max((request.sent for request in requests), default=-math.inf) + self._apart
        if len(requests) >= self._many:
            due = max(due, requests[-self._many].arrived(now, self._period) + self._period)
        return due - now

    def _wait(self, mark: str, go_on: Callable[[], object]) -> None:
        # A waiting process holds the turn and not the guard, so that answers can be noted meanwhile.
        with locked(self._turn):
            while True:
                go_on()
                with locked(self._guard):
                    requests, now = self._known(), time.monotonic()
                    if (seconds := self.seconds_until_next(requests, now)) <= 0:
                        self._write([*requests, Request(mark, now)])
                        return
                time.sleep(seconds)

    def _known(self) -> list[Request]:
        """Return the requests that still count."""
        now = time.monotonic()
        try:
            requests = [Request(*known) for known in json.loads(self._file.read_bytes())]
            # A later time than now dates from before a restart of the machine.
            counting = [request for request in requests if now - 2 * self._period < request.sent <= now]
        except (OSError, ValueError, TypeError):
            return []
        return counting[-self._many :]

    def _write(self, requests: Sequence[Request]) -> None:
        write_whole(self._file, json.dumps([astuple(request) for request in requests]))
