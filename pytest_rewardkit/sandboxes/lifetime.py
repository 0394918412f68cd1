"""How long a sandbox lives, and prolonging that while a candidate runs: a slow one must not outlive its sandbox.

Else it would be unscored by its own doing, as a candidate that uses up the time limit of each of thirty cases would be.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

USUAL_LIFETIME: Final = 300
"""Seconds if nobody says how many; E2B's default."""

_ASK_AGAIN: Final = 60.0
"""Seconds until a service that gave no answer is asked again."""
_REQUEST_SECONDS: Final = 30.0

_LIFE: Final = "_rewardkit_life"


@dataclass(slots=True)
class Life:
    """What is known of a sandbox's life.

    Parameters:
        ends: when, by the monotonic clock; an earlier time than now if that is not known.
        on_prolong: called with the seconds from now, before a sandbox is prolonged by so many.
    """

    ends: float = 0.0
    on_prolong: Callable[[float], object] = lambda _: None

    @classmethod
    def of_new(cls, seconds: float | None) -> Life:
        """Return the life of a new sandbox that lives `seconds` from now; None for the usual lifetime."""
        return cls(time.monotonic() + (seconds or USUAL_LIFETIME))


def life_of(sandbox: object) -> Life:
    """Return a sandbox's life; nothing is known of one that its test has created."""
    # Any other look at a sandbox might create it (lazy.py).
    own: dict[str, Any] | None = getattr(sandbox, "__dict__", None)
    if own is None:
        return Life()
    life: Life = own.setdefault(_LIFE, Life())
    return life


def share_life(sandbox: object, life: Life) -> None:
    """Make `life` that of a sandbox's object; other objects may stand for the same sandbox."""
    vars(sandbox)[_LIFE] = life


def outlast(sandbox: Sandbox, seconds: float) -> None:
    """Prolong a sandbox that would end within `seconds`, if its service allows it.

    The service is asked only if the known end is near, or if there is none.
    """
    life, now = life_of(sandbox), time.monotonic()
    if life.ends - now >= seconds:
        return
    life.ends = now + _ASK_AGAIN
    with suppress(Exception):
        # Its user may have prolonged it.
        left = (sandbox.get_info(request_timeout=_REQUEST_SECONDS).end_at - datetime.now(UTC)).total_seconds()
        needed = left if left >= seconds else max(math.ceil(seconds), USUAL_LIFETIME)
        # First of all: this process may be killed at any moment, and others must know what it leaves.
        life.on_prolong(needed)
        if needed > left:
            sandbox.set_timeout(int(needed), request_timeout=_REQUEST_SECONDS)
        life.ends = now + needed
