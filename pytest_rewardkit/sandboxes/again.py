"""Doing once more what the infrastructure has failed at, where doing it twice does no harm.

That is creating, reading, writing and removing. Running a candidate is none of it: whoever runs twice in one sandbox
finds there what it has left the first time.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from pytest_rewardkit.sandboxes.failures import is_refusal, says_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds before each further try, at most: any moment until then, so that those who failed together come apart."""

LATER_PAUSE: Final = 10.0
"""The same, of each further try where a service asks to come later."""

PATIENCE: Final = 20.0
"""Seconds after the first try in which there may be another, so that nobody waits long for many answers."""


def again(call: Callable[[], T], *, patience: float = 0.0, on_retry: Callable[[], None] = lambda: None) -> T:
    """Return what `call` returns, which is tried more than once where its failure says nothing and may pass.

    Raises what it raises the last time.

    Parameters:
        call: is done again.
        patience: for how many seconds it is, however often, as long as the service asks to come later.
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
    """How long to wait before another try; None where there is to be none.

    Parameters:
        error: how the last one ended.
        tries: how many there have been before.
        seconds: since the first one began.
        patience: as of `again`.
    """
    if not _may_pass(error):
        return None
    most = PAUSES[tries] if tries < len(PAUSES) else LATER_PAUSE
    pause = random.uniform(0, most)  # noqa: S311 - nothing is secret
    is_patient = patience and _asks_to_come_later(error)
    # A first try may have waited for its answer as long as the SDK does.
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
