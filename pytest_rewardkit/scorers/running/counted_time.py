"""The part of a candidate's time that counts: without the waits for a processor that others held.

The local server reports how long each thread of a sandbox has run and has waited for a processor, as the kernel counts.
E2B's cloud does not show this; there all time counts.
"""

from __future__ import annotations

import json
import time
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.counted_share import MAX_LIMITS, counted_share, waits_here
from pytest_rewardkit.sandboxes.lazy import nearby_sandbox
from pytest_rewardkit.sandboxes.lifetime import outlast
from pytest_rewardkit.sandboxes.nearby import server_nearby

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.local.counted_share import Threads

_FIRST_LOOK: Final = 0.2
_LOOKS: Final = (0.5, 1.0)
_EXACT: Final = 0.02
"""As shares of the limit: how often the sandbox is inspected, and how near to the limit the end may be."""

_LOOK_SECONDS: Final = 30.0
"""Without a look, all time counts; so one that is late on a busy machine is waited for."""

_PIECE: Final = 30.0
_MARGIN: Final = 15.0
"""Seconds of one wait, and those that a sandbox must live beyond it: results are read when a run has ended."""


class CountedTime:
    """The time of one run, starting now.

    Parameters:
        sandbox: where it runs.
        limit: seconds that the run may take.
    """

    def __init__(self, sandbox: Sandbox, limit: float) -> None:
        self._sandbox = sandbox
        self._limit = limit
        self._began = time.monotonic()
        self.share = 1.0
        """The share of the time that counts, as far as it is known."""

    @property
    def longest(self) -> float:
        """Seconds of wall clock after which the run is ended."""
        return MAX_LIMITS * self._limit

    def runs_out(self, wait: Callable[[float], bool]) -> bool:
        """Wait until the run has ended or its time is up; return whether the time ran out first.

        Parameters:
            wait: waits some seconds for the run's end, and returns whether it came.
        """
        if self._wait_alive(wait, _FIRST_LOOK * self._limit):
            return False
        first, at = look(self._sandbox), time.monotonic()
        for part in _LOOKS:
            # If a look was late, less time would show by chance what the machine is like.
            seen = time.monotonic() - at
            if self._wait_alive(
                wait, max(part * self._limit - self._passed(), (part - _FIRST_LOOK) * self._limit - seen)
            ):
                return False
            self._take(first, at)
        while (left := self._limit - self._passed() * self.share) > _EXACT * self._limit:
            if self._passed() >= self.longest:
                return True
            if self._wait_alive(wait, min(left, self.longest - self._passed())):
                return False
            self._take(first, at)
        return True

    def _wait_alive(self, wait: Callable[[float], bool], seconds: float) -> bool:
        """Wait for the run's end, and see to it that the sandbox does not end first."""
        left = max(0.0, seconds)
        while True:
            piece = min(left, _PIECE)
            outlast(self._sandbox, piece + _MARGIN)
            if wait(piece):
                return True
            left -= piece
            if left <= 0:
                return False

    def _passed(self) -> float:
        return time.monotonic() - self._began

    def _take(self, first: Threads | None, at: float) -> None:
        now = look(self._sandbox) if first is not None else None
        if first is not None and now is not None:
            self.share = counted_share(first, now, time.monotonic() - at)


def look(sandbox: Sandbox) -> Threads | None:
    """Return how long the threads of a local sandbox have run and waited; None for a sandbox without these figures."""
    with suppress(Exception):
        if (place := server_nearby(sandbox)) is None:
            return None
        # Loading the SDK would use up time that is being measured.
        known = nearby_sandbox(sandbox)
        config = known.address if known is not None else sandbox.connection_config.get_api_params()
        sandbox_id = known.sandbox_id if known is not None else sandbox.sandbox_id
        connection = HTTPConnection(str(place.hostname), place.port or 80, timeout=_LOOK_SECONDS)
        with closing(connection):
            key = {"X-API-Key": str(config.get("api_key"))}
            connection.request("GET", f"/sandboxes/{sandbox_id}/threads", headers=key)
            answer = connection.getresponse()
            found: Threads | None = json.load(answer) if answer.status == HTTPStatus.OK else None
        return None if found is None else found | waits_here("client")
    return None
