"""How long a service asks to be left alone, by the header `Retry-After` of its refusal."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from traceback import walk_tb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSALS: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def retry_after(error: BaseException) -> float:
    """Return how many seconds a service asks to wait, given the SDK's exception; 0.0 if it does not say.

    The exception does not carry the header, but the frame that raised it still has the answer.
    """
    return next((seconds for text in _headers(error) if (seconds := seconds_in(text)) > 0), 0.0)


def seconds_in(text: str) -> float:
    """Return the seconds that a header names, as a number or as a date; 0.0 if it names none."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _headers(error: BaseException) -> Iterator[str]:
    for frame, _ in walk_tb(error.__traceback__):
        # Only in the SDK: a look at another object, such as a sandbox that is not created yet, could have effects.
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] != "e2b":
            continue
        for value in frame.f_locals.values():
            if getattr(value, "status_code", None) in _REFUSALS:
                yield str(getattr(value, "headers", {}).get("Retry-After", ""))
