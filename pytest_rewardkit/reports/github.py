"""A run on GitHub: the step summary in Markdown, the step's outputs, and annotations. Pure.

All foreign text is hostile here: it must form no Markdown, no HTML and no workflow command.
"""

from __future__ import annotations

import string
from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, shown
from pytest_rewardkit.ledger.gate import RUN, GateState
from pytest_rewardkit.reports import changes
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_rewardkit.ledger.baseline import BaselineComparison
    from pytest_rewardkit.ledger.gate import Decision
    from pytest_rewardkit.ledger.ledger import Figures, Ledger
    from pytest_rewardkit.ledger.test import Test

SUMMARY_LIMIT: Final = 900 * 1024
"""Bytes of a step's summary. Beyond 1024 KiB GitHub drops all of it ("supports content up to a size of 1024k")."""

WARNINGS: Final = 9
"""Annotations for partial credit. GitHub shows ten of each kind in a step, and drops the others silently."""

WORST: Final = 10
"""Tests in the table that is not folded."""

_NAME_LIMIT: Final = 200
_REASON_LIMIT: Final = 300
_ROOM_FOR_END: Final = 400

_ENTITIES: Final = {ord(sign): f"&#{ord(sign)};" for sign in string.punctuation}


def escaped(text: str, limit: int) -> str:
    """Return `text` as one line of Markdown that reads as `text` and nothing else.

    Every character that could be markup (all are ASCII) becomes a numeric entity: entities can begin neither Markdown
    nor HTML (CommonMark 0.31.2, section 2.5), and links are recognised before entities are decoded.
    """
    return one_line(text, limit).translate(_ENTITIES)


def literal(text: str, limit: int) -> str:
    """Return `text` as `escaped` does, as code.

    GitHub looks for mentions, references to issues and commits, emoji and formulas in the rendered Markdown, in which
    entities are decoded, and skips code (github.com/gjtorikian/html-pipeline, MentionFilter::IGNORE_PARENTS).
    """
    return f"<code>{inside}</code>" if (inside := escaped(text, limit)) else ""


def summary(
    ledger: Ledger,
    *,
    passed: bool,
    decisions: Sequence[Decision] = (),
    comparisons: Sequence[BaselineComparison] = (),
    title: str = "Rewards",
    limit: int = SUMMARY_LIMIT,
) -> str:
    """Return the step summary: the verdict, the figures, the worst tests, and all tests folded.

    Parameters:
        passed: whether the run passed as a whole.
        limit: bytes that the summary may have; tests that do not fit are only counted.
    """
    figures = ledger.figures()
    tests = ledger.worst_first
    head = [f"### {escaped(title, 100)}: {'passed' if passed else 'FAILED'}, {_means(figures)}", ""]
    head += [f"- {_gate(it)} **{it.state}**: {literal(it.reason, 1000)}" for it in decisions]
    # The tables below have room for one comparison.
    comparison = comparisons[0] if comparisons else None
    head += [f"- {escaped(line, 1000)}" for found in comparisons for line in changes.summary(found)]
    head += [f"- {escaped(_verdicts(figures), 500)}", ""] if figures.tests else [""]
    worst = list(islice((test for test in tests if test.lost), WORST))
    parts = [
        *head,
        *(_runs(comparisons, figures) if len(comparisons) > 1 else ()),
        *_table("Worst", worst, comparison),
        *_missing(figures),
    ]
    text = "\n".join(parts) + "\n"
    if len(tests) > len(worst):
        text += _folded(tests, comparison, limit - len(text.encode()))
    return text


def outputs(figures: Figures, decisions: Sequence[Decision]) -> dict[str, str]:
    """Return the outputs of the step, by name; an unknown mean is an empty text."""
    asked = [it for it in decisions if it.state not in (GateState.NOT_ASKED, GateState.WAITING)]
    gate = "none" if not asked else "failed" if any(it.fails for it in asked) else "passed"
    return {
        "reward_mean": _number(figures.mean),
        "reward_strict_mean": _number(figures.strict_mean),
        "reward_tests": str(figures.tests),
        "reward_scored": str(figures.scored),
        "reward_unscored": str(figures.unscored),
        "reward_missing": str(len(figures.missing)),
        "reward_gate": gate,
    }


def commands(ledger: Ledger, decisions: Sequence[Decision], *, folder: str = "") -> list[str]:
    """Return annotations, as workflow commands, for what pytest's own failures do not show: gates, and partial credit.

    Parameters:
        folder: the path from the repository's root to the directory that node ids are relative to, with a final slash.
    """
    found = []
    if failed := [it for it in decisions if it.fails]:
        reasons = [f"{it.name}: {it.reason}" if len(failed) > 1 or it.name != RUN else it.reason for it in failed]
        found.append(_command("error", "\n".join(reasons), title="reward gate"))
    partial = (test for test in ledger.worst_first if test.passed and test.value != 1.0)
    for test in islice(partial, WARNINGS):
        path = folder + one_line(test.node_id.partition("::")[0], 500)
        line = {} if test.last.line is None else {"line": str(test.last.line)}
        why = f": {test.why}" if test.why else ""
        message = one_line(f"{test.node_id}: {test.verdict}{why}", 500)
        found.append(_command("warning", message, file=path, **line, title=f"reward {shown(test.value)}"))
    return found


def _command(name: str, message: str, **properties: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _gate(decision: Decision) -> str:
    return "gate" if decision.name == RUN else f"gate {literal(decision.name, 100)}"


def _means(figures: Figures) -> str:
    if not figures.tests:
        return "no test earned a reward"
    means = f"mean {shown(figures.mean)} over {figures.over}"
    if not figures.unscored:
        return means
    return f"{means}, {shown(figures.strict_mean)} with {figures.unscored:,} unscored as 0"


def _verdicts(figures: Figures) -> str:
    return ", ".join(f"{count:,} {verdict}" for verdict, count in figures.verdicts.items())


def _missing(figures: Figures) -> list[str]:
    if not figures.missing:
        return []
    names = [f"- {literal(name, _NAME_LIMIT)}" for name in figures.missing[:WORST]]
    if len(figures.missing) > WORST:
        names.append(f"- and {len(figures.missing) - WORST:,} more")
    return ["", f"{counted(len(figures.missing), 'collected test')} never ran to an end:", "", *names]


def _runs(comparisons: Sequence[BaselineComparison], figures: Figures) -> list[str]:
    """Return this run and those compared with it as a table."""
    head, *rows = changes.table(comparisons, figures)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *([escaped(cell, 100) for cell in row] for row in rows)]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def _table(title: str, tests: Sequence[Test], comparison: BaselineComparison | None) -> list[str]:
    return [*_head(title, comparison), *_rows(tests, comparison)] if tests else []


def _head(title: str, comparison: BaselineComparison | None) -> list[str]:
    was = " was |" if comparison is not None else ""
    rule = " ---: |" if comparison is not None else ""
    return [f"| {title} | reward |{was} verdict | why |", f"| --- | ---: |{rule} --- | --- |"]


def _rows(tests: Sequence[Test], comparison: BaselineComparison | None) -> Iterator[str]:
    for test in tests:
        name, why = literal(test.node_id, _NAME_LIMIT), literal(test.why, _REASON_LIMIT)
        was = "" if comparison is None else f" {shown(comparison.before.get(test.node_id))} |"
        yield f"| {name} | {shown(test.value)} |{was} {escaped(test.verdict, 50)} | {why} |"


def _folded(tests: Sequence[Test], comparison: BaselineComparison | None, room: int) -> str:
    """Return all tests, or as many as fit into `room` bytes, in a folded table."""
    lines = ["", "<details>", f"<summary>All {counted(len(tests), 'test')}</summary>", "", *_head("Test", comparison)]
    room -= sum(len(line.encode()) + 1 for line in lines) + _ROOM_FOR_END
    if room < 0:
        return ""
    for number, row in enumerate(_rows(tests, comparison)):
        room -= len(row.encode()) + 1
        if room < 0:
            lines += ["", f"{counted(len(tests) - number, 'more test')}, for which there is no room here"]
            break
        lines.append(row)
    return "\n".join([*lines, "", "</details>", ""])
