"""How long a sandbox lives, and prolonging that while a candidate runs: a slow one must not outlive its sandbox.

Else it would be unscored by its own doing, as a candidate that uses up the time limit of each of thirty cases would be.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

USUAL_LIFETIME: Final = 300
"""Seconds if nobody says how many; E2B's default."""

_ASK_AGAIN: Final = 60.0
"""Seconds until a service that gave no answer is asked again."""
_REQUEST_SECONDS: Final = 10.0

_ENDS: Final = "_rewardkit_ends"


def note(sandbox: object, seconds: float | None) -> None:
    """Remember that a new sandbox lives `seconds` from now; None for the usual lifetime."""
    vars(sandbox)[_ENDS] = time.monotonic() + (seconds or USUAL_LIFETIME)


def outlast(sandbox: Sandbox, seconds: float) -> None:
    """Prolong a sandbox that would end within `seconds`, if its service allows it.

    The service is asked only if the known end is near, or if there is none, as with a sandbox that a test has created.
    """
    now = time.monotonic()
    own: dict[str, Any] | None = getattr(sandbox, "__dict__", None)
    if own is None or own.get(_ENDS, 0.0) - now >= seconds:
        return
    own[_ENDS] = now + _ASK_AGAIN
    with suppress(Exception):
        # Its user may have prolonged it.
        left = (sandbox.get_info(request_timeout=_REQUEST_SECONDS).end_at - datetime.now(UTC)).total_seconds()
        if left < seconds:
            left = max(math.ceil(seconds), USUAL_LIFETIME)
            sandbox.set_timeout(left, request_timeout=_REQUEST_SECONDS)
        own[_ENDS] = now + left
