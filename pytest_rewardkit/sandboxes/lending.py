"""What a run of pytest lends to code that makes a sandbox by itself, so that it counts as the run's own do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.sandboxes.factory import Factory

# The innermost last, where runs are within runs.
_lent: Final[list[Callable[[], Factory | None]]] = []


def lend(make: Callable[[], Factory | None]) -> Callable[[], None]:
    """Have `open_sandbox` use what `make` returns, if anything, until what this returns is called."""
    _lent.append(make)
    return lambda: _lent.remove(make)


def lent() -> Factory | None:
    """What makes a sandbox of the run that goes on in this process; None where there is none, or it lends none."""
    return _lent[-1]() if _lent else None
