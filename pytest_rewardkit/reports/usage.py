"""A run's use of sandboxes, as lines for the terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_IDS: Final = 5
"""Sandboxes named if some are left."""


def usage_lines(
    *,
    created: int,
    reused: int,
    killed: int,
    left: Sequence[str],
    seconds: float,
    cost: str,
    again: int,
    repeated: int,
    sweep: str,
) -> list[str]:
    """The last lines of the summary.

    Parameters:
        created, reused, killed: the number of sandboxes in each case.
        left: the ids of those that may still be alive.
        seconds: total lifetime of all.
        cost: what that costs, in words; "" if unknown.
        again: how often a request for one was repeated.
        repeated: how often scoring was repeated in a fresh one.
        sweep: the command that kills those that are left.
    """
    first = f"{counted(created, 'sandbox', 'sandboxes')} created, {reused} reused, {killed} killed, {len(left)} left"
    lines = [f"{first}; {seconds:.0f} sandbox-seconds{f', {cost}' if cost else ''}"]
    trouble = [
        f"{counted(again, 'creation')} tried again" if again else "",
        f"{counted(repeated, 'scoring')} repeated in a fresh sandbox, as the first was lost" if repeated else "",
    ]
    lines += ["; ".join(filter(None, trouble))] if any(trouble) else []
    if left:
        named = ", ".join(left[:MOST_IDS]) + (", …" if len(left) > MOST_IDS else "")
        lines.append(f"left: {named}; `{sweep}` ends them")
    return lines
