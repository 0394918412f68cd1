"""Repeats calls after an infrastructure failure, if repeating does no harm.

That covers creating, reading, writing and removing. It does not cover running a candidate: its second run in one
sandbox finds what the first run left.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from pytest_rewardkit.sandboxes.failures import is_refusal, says_nothing
from pytest_rewardkit.sandboxes.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PAUSES: Final = (0.2, 1.0, 3.0)
"""Longest pause in seconds before each further try. The pause is random, so that simultaneous failures spread out."""

LATER_PAUSE: Final = 10.0
"""The longest pause before each later try, if a service asks to come back later."""

PATIENCE: Final = 20.0
"""Seconds after the first try in which another may follow, so that many slow answers do not add up to a long wait."""


def again(call: Callable[[], T], *, patience: float = 0.0, on_retry: Callable[[], None] = lambda: None) -> T:
    """Return what `call` returns; try again if its failure is temporary and says nothing about the call itself.

    Raises what the last try raises.

    Parameters:
        call: the call to repeat.
        patience: seconds of further tries, however many, while the service asks to come back later.
        on_retry: called before each further try.
    """
    begun = time.monotonic()
    tries = 0
    while True:
        try:
            return call()
        except Exception as error:
            if (pause := pause_after(error, tries, time.monotonic() - begun, patience)) is None:
                raise
        tries += 1
        time.sleep(pause)
        on_retry()


def pause_after(error: Exception, tries: int, seconds: float, patience: float) -> float | None:
    """Return how long to wait before another try, at least as long as the service asks; None if there is to be none.

    Parameters:
        error: how the last try ended.
        tries: how many further tries there have been.
        seconds: since the first try began.
        patience: as for `again`.
    """
    if not _may_pass(error):
        return None
    most = PAUSES[tries] if tries < len(PAUSES) else LATER_PAUSE
    asks = _asks_to_come_later(error)
    least = retry_after(error) if asks else 0.0
    pause = least + random.uniform(0, PAUSES[0] if least else most)  # noqa: S311 - nothing is secret
    is_patient = patience and asks
    # The first try may have waited for its answer as long as the SDK allows.
    most_seconds = patience if is_patient or (patience and not tries) else PATIENCE
    if seconds + pause > most_seconds or (tries >= len(PAUSES) and not is_patient):
        return None
    return pause


def _may_pass(error: Exception) -> bool:
    from e2b import AuthenticationException
    from e2b.exceptions import SandboxNotFoundException, SandboxNotRunningException

    lasting = isinstance(error, AuthenticationException | SandboxNotFoundException | SandboxNotRunningException)
    return says_nothing(error) and not is_refusal(error) and not lasting


def _asks_to_come_later(error: Exception) -> bool:
    from e2b.exceptions import RateLimitException, ServiceBusyException

    return isinstance(error, RateLimitException | ServiceBusyException)
