"""The parts of a reward as lines of text, worst first where there is no room for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.reports.figures import shown, shown_under
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.reward import Part, Reward

_NAME_WIDTH: Final = 40
_TEXT_WIDTH: Final = 60


def under_threshold(reward: Reward, threshold: float) -> str:
    """Return why a test fails whose reward is under its threshold, with the parts that cost it most."""
    lines = [f"reward {shown_under(float(reward), threshold)} < threshold {threshold:g}"]
    if reward.reason:
        lines[0] += f": {one_line(reward.reason, 200)}"
    return "\n".join([*lines, *(f"  {line}" for line in part_lines(reward.parts, limit=10))])


def part_lines(parts: Sequence[Part], *, limit: int) -> list[str]:
    """Return one line for each of at most `limit` parts, in their order, and a note of how many are not shown.

    Where not all fit, the parts with the lowest values are shown.
    """
    if not parts:
        return []
    worst = sorted(range(len(parts)), key=lambda index: _value(parts[index]))[:limit]
    chosen = [parts[index] for index in sorted(worst)]
    name_width = min(max(len(one_line(part.name, _NAME_WIDTH)) for part in chosen), _NAME_WIDTH)
    lines = [_line(part, name_width) for part in chosen]
    if len(parts) > limit:
        lines.append(f"... {len(parts) - limit} more, no worse")
    return lines


def _line(part: Part, name_width: int) -> str:
    texts = []
    if part.reason:
        texts.append(one_line(part.reason, _TEXT_WIDTH * 2))
    if part.value != 1.0 and part.expected is not None:
        texts.append(f"expected {one_line(part.expected, _TEXT_WIDTH)!s}")
    if part.value != 1.0 and part.actual is not None:
        texts.append(f"got {one_line(part.actual, _TEXT_WIDTH)!s}")
    head = f"{shown(part.value):>4}  {part.verdict.value:<13}  {one_line(part.name, _NAME_WIDTH):<{name_width}}"
    return f"{head}  {', '.join(texts)}".rstrip()


def _value(part: Part) -> float:
    return -1.0 if part.value is None else part.value
