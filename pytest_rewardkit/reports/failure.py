"""Explains a test failure caused by a low reward, as text for a terminal: the parts, and what went wrong in them.

The text comes from candidates, so everything is escaped and bounded, in lines and in characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.difference import text_difference
from pytest_rewardkit.formatting import counted, shown_under
from pytest_rewardkit.ledger.worst_parts import worst
from pytest_rewardkit.reports.parts import columns_of
from pytest_rewardkit.reward import TEXT_LIMIT, Verdict
from pytest_rewardkit.text import one_line, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_rewardkit.reward import Part, Reward

ROWS: Final = 20
"""Parts in the table; if there are more, those with the lowest values."""
LINES: Final = 60
"""Lines of details after which no further part is explained."""
TEXT_HEAD: Final = 8
TEXT_TAIL: Final = 4
STDERR_LINES: Final = 8
WIDTH: Final = 160
_COMPARED_IN_FULL: Final = 40
"""Characters up to which two values appear side by side in a reason, for comparison by eye."""


def under_threshold(reward: Reward, threshold: float) -> str:
    """Return why a test fails: a line for each part, then the details of those that did not pass."""
    lines = [f"reward {shown_under(float(reward), threshold)} < threshold {threshold:g} ({reward.verdict})"]
    if reward.reason and not reward.parts:
        lines[0] += f": {one_line(reward.reason, 200)}"
    elif reward.reason and not any(part.reason == reward.reason for part in reward.parts):
        lines.append(f"  {one_line(reward.reason, 200)}")
    return "\n".join([*lines, *_table(reward.parts), *_explained(reward.parts)])


def _table(parts: Sequence[Part]) -> Iterator[str]:
    chosen = worst(parts, ROWS)
    for part, columns in zip(chosen, columns_of(chosen), strict=True):
        yield f"  {columns}  {'' if part.weight == 1 else f'weight {part.weight:g}'}".rstrip()
    if len(chosen) < len(parts):
        yield f"  ... {len(parts) - len(chosen):,} more, no worse"


def _explained(parts: Sequence[Part]) -> Iterator[str]:
    """The details of parts that did not pass; parts with the same details are named together."""
    alike: dict[tuple[str, ...], list[Part]] = {}
    for part in parts:
        if part.verdict is not Verdict.PASSED and (details := tuple(_details(part))):
            alike.setdefault(details, []).append(part)
    room, left = LINES, sum(map(len, alike.values()))
    for details, group in alike.items():
        if len(details) > room and room < LINES:
            break
        room -= len(details) + 1
        left -= len(group)
        others = f" and {counted(len(group) - 1, 'more part')}" if len(group) > 1 else ""
        yield f"  {one_line(group[0].name, 80)}{others}:"
        yield from (f"    {line}" for line in details)
    if left:
        yield f"  {counted(left, 'more part')} did not pass"


def _details(part: Part) -> Iterator[str]:
    reason = printable(part.reason, keep="\n\t")
    if reason:
        yield from shortened(reason, head=TEXT_HEAD, tail=TEXT_TAIL, width=WIDTH)
    yield from _difference(part, reason)
    yield from _tail("stderr", part.stderr)


def _difference(part: Part, reason: str) -> Iterator[str]:
    """The expected and the actual value, unless the reason already says it all."""
    expected = _unsaid(part.expected, reason)
    actual = _unsaid(part.actual, reason)
    if actual is None and part.verdict not in (Verdict.WRONG_OUTPUT, Verdict.PARTIAL):
        return  # the candidate failed, whatever was expected
    has_caret = "^" in reason
    if not has_caret and expected is not None and actual is not None and _comparable(expected, actual):
        yield from text_difference(actual.split("\n"), expected.split("\n")).split("\n")
        has_caret = True
    for title, text in (("expected", expected), ("actual", actual)):
        # The caret stands under the differing line; with only one line, it says enough.
        if text is not None and not (has_caret and "\n" not in text):
            yield f"{title}:"
            yield from (f"  {line}" for line in shortened(text, head=TEXT_HEAD, tail=TEXT_TAIL, width=WIDTH))


def _unsaid(text: str | None, reason: str) -> str | None:
    if text is None:
        return None
    text = printable(text, keep="\n\t")
    return None if text in reason else text


def _comparable(expected: str, actual: str) -> bool:
    lengths = (len(expected), len(actual))
    return expected != actual and min(lengths) > _COMPARED_IN_FULL and max(lengths) < TEXT_LIMIT


def _tail(title: str, text: str | None) -> Iterator[str]:
    if text and text.strip():
        yield f"{title}, its end:"
        lines = printable(text.rstrip(), keep="\n\t").split("\n")[-STDERR_LINES:]
        yield from (f"  {line}" for line in shortened("\n".join(lines), head=STDERR_LINES, tail=0, width=WIDTH))
