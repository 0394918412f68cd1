"""What a run has had of sandboxes, as lines for the terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_IDS: Final = 5
"""Sandboxes that are named where some are left."""


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
    """The lines of the summary's end.

    Parameters:
        created, reused, killed: how many sandboxes were.
        left: the ids of those that may live on.
        seconds: how long all have lived, together.
        cost: what that costs, in words; "" where it is not known.
        again: how often one was asked for once more.
        repeated: how often something was scored once more in a fresh one.
        sweep: the command that ends those that are left.
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
