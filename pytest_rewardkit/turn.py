"""The owner of the current turn: scorers work on its behalf. Loaded in every session, so it imports nothing."""

from __future__ import annotations

from typing import Final

# A stack, because a test may run pytest inside itself. Not a context variable, because event loops and threads that
# outlive a test keep the context in which they were started.
_turns: Final[list[object]] = []


def current() -> object | None:
    """Return the owner of the turn, as given to the last `enter`; None outside pytest."""
    return _turns[-1] if _turns else None


def enter(owner: object) -> None:
    """Give `owner` the turn, until `leave`."""
    _turns.append(owner)


def leave() -> None:
    """End the turn that the last `enter` began."""
    _turns.pop()
