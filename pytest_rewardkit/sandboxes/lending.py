"""Lends a run's source of sandboxes to code that creates sandboxes itself, so that they count as the run's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.sandboxes.factory import Factory

# The innermost run is last, if runs are nested.
_lent: Final[list[Callable[[], Factory | None]]] = []


def lend(make: Callable[[], Factory | None]) -> Callable[[], None]:
    """Make `open_sandbox` use what `make` returns, if anything, until the returned function is called."""
    _lent.append(make)
    return lambda: _lent.remove(make)


def lent() -> Factory | None:
    """Return the factory of the run in this process; None if there is no run, or it lends none."""
    return _lent[-1]() if _lent else None
