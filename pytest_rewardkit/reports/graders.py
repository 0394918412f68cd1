"""The graders of a self-check on a terminal, from the ledger alone, so that it also works for stored runs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.graders import RAISED, candidates_of, caught, check_of
from pytest_rewardkit.ledger.modes import ATTACKS, CHECKS, MUTANTS
from pytest_rewardkit.text import cells, fitted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.reward import Part

ROWS: Final = 10
"""Lines of details for each check, unless ``-v`` asks for all."""
_NAME_LIMIT: Final = 300


def lines(checks: Sequence[Test], *, width: int, verbosity: int) -> list[str]:
    """Return a table of graders, what was found about each, and the figures over all.

    Parameters:
        width: cells of the terminal.
        verbosity: 0 for `ROWS` findings of each check; 1 for all.
    """
    by_grader: dict[str, dict[str, Test]] = {}
    for test in checks:
        mode = str(check_of(test))
        by_grader.setdefault(_grader(test.node_id, mode), {})[mode] = test
    modes = [mode for mode in CHECKS if any(mode in found for found in by_grader.values())]
    rows = [["grader", *modes]]
    rows += [[name, *(_cell(mode, found.get(mode)) for mode in modes)] for name, found in by_grader.items()]
    found = _table(rows, width)
    for mode in modes:
        details = list(_details(mode, [test for test in checks if check_of(test) == mode]))
        shown = details if verbosity > 0 else details[:ROWS]
        found += [one_line(detail, 2 * max(width, 80)) for detail in shown]
        if len(shown) < len(details):
            found.append(f"... {len(details) - len(shown):,} more about {mode} (-v shows all)")
    for title, figure, note in figures(checks):
        found.append(f"{title}: {figure}{f', {note}' if note else ''}")
    return found


def _grader(node_id: str, mode: str) -> str:
    """Return the node id of the test that is the grader."""
    head, at, tail = node_id.rpartition(mode)
    head = head.removesuffix("-") + "]" if head.endswith("-") else head.removesuffix("[")
    name = head + tail.removeprefix("]") if at else node_id
    return one_line(name, _NAME_LIMIT)


def _cell(mode: str, test: Test | None) -> str:
    if test is None:
        return "-"
    if test.value is None:
        return "?"
    tried, good = candidates_of(test), caught(test)
    if not tried:
        return "broken"
    if mode == MUTANTS:
        return f"{good:,} of {tried:,} killed"
    if mode == ATTACKS:
        return f"{tried - good:,} of {tried:,} pay" if good < tried else "none pays"
    return f"{tried - good:,} of {tried:,} differ" if good < tried else "stable"


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    widths = [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)]
    room = max(width - sum(widths[1:]) - 2 * len(widths), 20)
    widths[0] = min(widths[0], room)
    table = []
    for name, *others in rows:
        shown = [fitted(name, widths[0], keep_end=True), *others]
        table.append("  ".join(cell + " " * (room - cells(cell)) for cell, room in zip(shown, widths, strict=True)))
    return [line.rstrip() for line in table]


def _details(mode: str, tests: Iterable[Test]) -> Iterable[str]:
    for test in tests:
        name, reward = _grader(test.node_id, mode), test.reward
        if test.value is None or reward is None or not reward.parts:
            yield f"{name}: {test.cause or test.verdict}"
        elif mode == MUTANTS:
            yield from (f"{name}: {part.reason}" for part in lost(reward.parts))
        elif test.value < 1 or RAISED in test.cause:
            yield f"{name}: {test.cause}"


def lost(parts: Sequence[Part]) -> list[Part]:
    """Return the candidates that a grader has misjudged, and those that are undecided."""
    return [part for part in parts if part.value != 1]


def figures(checks: Sequence[Test]) -> list[tuple[str, str, str]]:
    """Return the results of all checks: a title, a figure and a note for each mode."""
    found = []
    for mode in CHECKS:
        if not (tests := [test for test in checks if check_of(test) == mode]):
            continue
        weak = sum(test.value is not None and test.value < 1 and candidates_of(test) > 0 for test in tests)
        untold = sum(test.value is None for test in tests)
        broken = sum(test.value is not None and not candidates_of(test) for test in tests)
        notes = [f"{broken:,} broken"] * bool(broken) + [f"{untold:,} could not be told"] * bool(untold)
        note = ", ".join(notes)
        if mode == MUTANTS:
            tried, killed = sum(map(candidates_of, tests)), sum(map(caught, tests))
            share = f"{killed:,} of {tried:,} ({killed / tried:.0%})" if tried else "none"
            found.append(("mutants killed", share, note))
        else:
            title = "graders that pay for an attack" if mode == ATTACKS else "graders that are not stable"
            found.append((title, f"{weak:,} of {len(tests):,}", note))
    return found
