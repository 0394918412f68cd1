"""Compares a run with earlier runs, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, shown
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.history import History

_MEANS: Final = 6
"""Means of earlier runs that are shown."""
_LEFT_OUT: Final = 3
"""Files named among those left out."""


def lines(history: History, mean: float | None, *, partial: str = "", everything: bool = True) -> list[str]:
    """Return the comparison of the run's `mean` with earlier runs, and the files that could not be read.

    Parameters:
        partial: why the mean cannot be compared with others; "" if it can.
        everything: whether to name each file that was left out.
    """
    return [f"history: {_beside(history, mean, partial)}", *_left_out(history, everything=everything)]


def _beside(history: History, mean: float | None, partial: str) -> str:
    runs = counted(len(history.runs), "earlier run")
    if not history.runs:
        return "no earlier run"
    if partial:
        return f"{runs}, whose means are not set beside this one: {one_line(partial, 120)}"
    if not history.means:
        return f"{runs}, none of them with a mean of all tests"
    *before, last = history.means
    named = before[-_MEANS:]
    earlier = (
        f"; before that {'... ' if len(named) < len(before) else ''}{' '.join(map(shown, named))}" if named else ""
    )
    return f"mean {shown(mean)}, {shown(last)} last time{earlier}"


def _left_out(history: History, *, everything: bool) -> list[str]:
    if not (count := len(history.left_out)):
        return []
    if not everything:
        return [f"history leaves out {counted(count, 'file')}"]
    found = [f"history leaves out {text}" for text in history.left_out[:_LEFT_OUT]]
    return found if count <= _LEFT_OUT else [*found, f"      and {count - _LEFT_OUT:,} more"]
