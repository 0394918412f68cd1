"""The parts of a reward as lines of text; if there are too many, only the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import shown
from pytest_rewardkit.ledger.worst_parts import worst
from pytest_rewardkit.text import cells, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.reward import Part

_NAME_WIDTH: Final = 40
_TEXT_WIDTH: Final = 60


def part_lines(parts: Sequence[Part], *, limit: int) -> list[str]:
    """Return one line for each of at most `limit` parts, in their order, and a note of how many are not shown.

    If not all fit, the parts with the lowest values are shown.
    """
    chosen = worst(parts, limit)
    lines = []
    for part, columns in zip(chosen, columns_of(chosen), strict=True):
        lines.append(f"{columns}  {', '.join(_texts(part))}".rstrip())
    if len(parts) > limit:
        lines.append(f"... {len(parts) - limit} more, no worse")
    return lines


def columns_of(parts: Sequence[Part]) -> list[str]:
    """Return value, verdict and name of each part, aligned in columns."""
    names = [one_line(part.name, _NAME_WIDTH) for part in parts]
    width = max(map(cells, names), default=0)
    return [
        f"{shown(part.value):>4}  {part.verdict.value:<13}  {name}{' ' * (width - cells(name))}"
        for part, name in zip(parts, names, strict=True)
    ]


def _texts(part: Part) -> list[str]:
    texts = []
    if part.reason:
        texts.append(one_line(part.reason, _TEXT_WIDTH * 2))
    if part.value != 1.0 and part.expected is not None:
        texts.append(f"expected {one_line(part.expected, _TEXT_WIDTH)!s}")
    if part.value != 1.0 and part.actual is not None:
        texts.append(f"got {one_line(part.actual, _TEXT_WIDTH)!s}")
    return texts
