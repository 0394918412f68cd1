"""The table of tests on a terminal: the worst ones, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import shown
from pytest_rewardkit.reports.parts import part_lines
from pytest_rewardkit.reports.terminal_lines import Segment, color_of, cut, line_of
from pytest_rewardkit.text import cells, fitted, one_line

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.ledger import Ledger
    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.reports.terminal_lines import Glyphs, Line

ROWS: Final = 10
"""Tests in the table unless ``-v`` asks for all."""
PARTS: Final = 20
"""Parts per test that ``-vv`` shows."""
NAME_LIMIT: Final = 300
_BAR: Final = 10
_WIDTH_FOR_BARS: Final = 72
_WIDTH_FOR_REASONS: Final = 36


def table(ledger: Ledger, *, width: int, verbosity: int, using: Glyphs) -> list[Line]:
    """Return the tests that lost something, at most `ROWS`; all tests from `verbosity` 1 on, their parts from 2 on."""
    tests = ledger.worst_first
    if verbosity < 1:
        tests = [test for test in tests if test.lost]
    chosen = tests if verbosity > 0 else tests[:ROWS]
    names = {test.node_id: one_line(test.node_id, NAME_LIMIT) for test in chosen}
    longest = max((cells(name) for name in names.values()), default=0)
    lines: list[Line] = []
    for test in chosen:
        row, room = _row(test, width=width, using=using)
        name = fitted(names[test.node_id], max(room, 20), ellipsis=using.ellipsis, keep_end=True)
        # If all parts follow, the worst one's reason need not be there twice.
        why = one_line(test.cause if verbosity > 1 else test.why, 400)
        beside = room - longest - 2
        if why and beside >= _WIDTH_FOR_REASONS:
            lines.append((*row, Segment(name + " " * (longest - cells(name) + 2)), Segment(cut(why, beside, using))))
        else:
            lines.append((*row, Segment(name)))
            if why:
                lines.append(line_of("      " + cut(why, width - 6, using)))
        if verbosity > 1 and test.reward is not None:
            parts = part_lines(test.reward.parts, limit=PARTS)
            lines += [line_of("      " + cut(text, width - 6, using)) for text in parts]
    if len(chosen) < len(tests):
        rest = tests[len(chosen) :]
        lines.append(line_of(f"      {using.ellipsis} {len(rest):,} more under 1.00 (-v shows all)"))
    if lines:
        lines.append(())
    return lines


def _row(test: Test, *, width: int, using: Glyphs) -> tuple[Line, int]:
    """Return the columns before a test's name, and the cells left for the name."""
    color = color_of(test.value)
    columns = [Segment(f"{shown(test.value):>4} ", (color, "bold"))]
    if width >= _WIDTH_FOR_BARS:
        columns.append(Segment(f"{_bar(test.value, using)}  ", (color,)))
    columns.append(Segment(f"{test.verdict:<13}  ", (color,)))
    return tuple(columns), width - sum(cells(column.text) for column in columns) - 1


def _bar(value: float | None, using: Glyphs) -> str:
    steps = len(using.blocks)
    filled = round((value or 0.0) * _BAR * steps)
    bar = using.blocks[-1] * (filled // steps) + (using.blocks[filled % steps - 1] if filled % steps else "")
    return bar + using.empty * (_BAR - len(bar))
