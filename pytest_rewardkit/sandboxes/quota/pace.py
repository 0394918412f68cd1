"""Bounds the requests for sandboxes over all processes: never more than the rate arrive in one second."""

from __future__ import annotations

import json
import math
import secrets
import time
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.sandboxes.quota.folder import write_whole
from pytest_rewardkit.sandboxes.quota.lock import locked
from pytest_rewardkit.sandboxes.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MAX_REST_SECONDS: Final = 60.0
"""How long one refusal may keep all processes from asking, whatever the service says."""

_LOOK_SECONDS: Final = 1.0
"""The longest sleep between two looks at whether to go on."""


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

    If a service refuses a request and says for how long, none is sent meanwhile.

    Parameters:
        directory: shared by all processes that keep to the pace.
        rate: requests per second.
    """

    def __init__(self, directory: Path, rate: float) -> None:
        self._file = directory / "pace.json"
        self._guard = directory / "pace.guard"
        self.turn = directory / "pace.turn"
        """Locked by a thread that waits, so that one at a time does."""
        self._apart = 1 / rate
        self._many = max(1, math.floor(rate))
        self._period = self._many / rate

    def request(
        self, go_on: Callable[[], object] = lambda: None, waited: Callable[[float], object] = lambda _: None
    ) -> PacedRequest:
        """Return a context manager, plain and asynchronous, that sends a request and waits for its answer.

        It waits first until the request may be sent.

        Parameters:
            go_on: called during a wait; raises an exception to end it.
            waited: called with the seconds of the wait.
        """
        return PacedRequest(self, go_on, waited)

    def try_to_send(self, mark: str) -> float:
        """Note that a request is sent, and return 0.0; or, if it may not be sent yet, the least wait in seconds."""
        with locked(self._guard):
            (requests, rests_until), now = self._known(), time.monotonic()
            if (seconds := max(rests_until - now, self.seconds_until_next(requests, now))) > 0:
                return seconds
            self._write([*requests, Request(mark, now)], rests_until)
        return 0.0

    def note_answer(self, mark: str, rest: float) -> None:
        """Note that a request's answer has arrived, and for how many seconds it forbids further ones."""
        with locked(self._guard):
            (requests, rests_until), now = self._known(), time.monotonic()
            for request in requests:
                if request.mark == mark:
                    request.answered = now
            self._write(requests, max(rests_until, now + min(rest, MAX_REST_SECONDS)))

    def seconds_until_next(self, requests: Sequence[Request], now: float) -> float:
        """Return the least wait in seconds before a further request, given the last ones, the oldest first."""
        due = max((request.sent for request in requests), default=-math.inf) + self._apart
        if len(requests) >= self._many:
            due = max(due, requests[-self._many].arrived(now, self._period) + self._period)
        return due - now

    def _known(self) -> tuple[list[Request], float]:
        """Return the requests that still count, and until when there are to be none."""
        now = time.monotonic()
        try:
            until, *told = json.loads(self._file.read_bytes())
            requests = [Request(*known) for known in told]
            # Times that are too late date from before a restart of the machine.
            counting = [request for request in requests if now - 2 * self._period < request.sent <= now]
            return counting[-self._many :], until if until <= now + MAX_REST_SECONDS else now
        except (OSError, ValueError, TypeError):
            return [], now

    def _write(self, requests: Sequence[Request], rests_until: float) -> None:
        write_whole(self._file, json.dumps([rests_until, *map(astuple, requests)]))


class PacedRequest:
    """One request, at the pace: see `Pace.request`."""

    def __init__(self, pace: Pace, go_on: Callable[[], object], waited: Callable[[float], object]) -> None:
        self._pace = pace
        self._go_on = go_on
        self._waited = waited
        self._mark = secrets.token_hex(8)

    def __enter__(self) -> None:
        begun = time.monotonic()
        with locked(self._pace.turn):
            while seconds := self._next_wait():
                time.sleep(seconds)
        self._waited(time.monotonic() - begun)

    async def __aenter__(self) -> None:
        import asyncio  # loaded with the SDK; a run without sandboxes loads neither

        # A lock of a file would stop the event loop, and all in it that wait may try at once instead.
        begun = time.monotonic()
        while seconds := self._next_wait():
            await asyncio.sleep(seconds)
        self._waited(time.monotonic() - begun)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._pace.note_answer(self._mark, 0.0 if error is None else retry_after(error))

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.__exit__(kind, error, traceback)

    def _next_wait(self) -> float:
        self._go_on()
        return min(self._pace.try_to_send(self._mark), _LOOK_SECONDS)
