"""How many sandboxes are asked for a second, over all processes: never more than so many arrive in one."""

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
    """One for a sandbox.

    Parameters:
        mark: by which it is known.
        sent: when it was about to be sent.
        answered: when its answer was there; None before.
    """

    mark: str
    sent: float
    answered: float | None = None

    def arrived(self, now: float, patience: float) -> float:
        """When it has arrived at the latest: with its answer, or else so many seconds after it was sent."""
        return min(now if self.answered is None else self.answered, self.sent + patience)


class Pace:
    """Lets requests go so that no more than `rate` of them arrive in any second, nor less far apart than that is.

    How long a request is on its way differs: by the machine's load, by a connection that is made first. Only its answer
    tells that it has arrived. So a period, in which as many may arrive as is allowed, is counted from the answer to the
    first of them. One that has no answer after a period is taken to have arrived.

    Parameters:
        directory: shared by all processes that are to keep to it.
        rate: requests a second.
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
        """Wait until a request may be sent, which the `with` block sends, and waits for its answer.

        Parameters:
            go_on: called while there is to wait; raises what is to end that.
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
        """How long no further request may be sent at least, given the last ones, the oldest first."""
        due = max((request.sent for request in requests), default=-math.inf) + self._apart
        if len(requests) >= self._many:
            due = max(due, requests[-self._many].arrived(now, self._period) + self._period)
        return due - now

    def _wait(self, mark: str, go_on: Callable[[], object]) -> None:
        # Whoever waits has the turn meanwhile, and not the guard: answers are noted while others wait.
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
        """The requests that still count."""
        now = time.monotonic()
        try:
            requests = [Request(*known) for known in json.loads(self._file.read_bytes())]
            # What is later than now comes from before the machine was started anew.
            counting = [request for request in requests if now - 2 * self._period < request.sent <= now]
        except (OSError, ValueError, TypeError):
            return []
        return counting[-self._many :]

    def _write(self, requests: Sequence[Request]) -> None:
        write_whole(self._file, json.dumps([astuple(request) for request in requests]))
