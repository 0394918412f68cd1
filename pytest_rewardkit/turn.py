"""Whose turn it is: on whose behalf scorers work now. Loaded in every session, so it loads nothing."""

from __future__ import annotations

from typing import Final

# A stack, because a test may run pytest inside itself. Not a context variable: event loops and threads that outlive a
# test would keep the one in which they were started.
_turns: Final[list[object]] = []


def current() -> object | None:
    """Return who has the turn: what the last `enter` was given; None outside of pytest."""
    return _turns[-1] if _turns else None


def enter(owner: object) -> None:
    """Give `owner` the turn, until `leave`."""
    _turns.append(owner)


def leave() -> None:
    """End what the last `enter` began."""
    _turns.pop()
