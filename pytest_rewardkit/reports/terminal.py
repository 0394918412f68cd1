"""Shows the run on a terminal: a letter or word per test, and the reward section. Pure functions of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, duration, shown
from pytest_rewardkit.ledger.gate import RUN
from pytest_rewardkit.ledger.models import model_results
from pytest_rewardkit.reports import changes, models
from pytest_rewardkit.reports.subsets import means, subsets
from pytest_rewardkit.reports.terminal_lines import Segment, color_of, cut, line_of, wrapped
from pytest_rewardkit.reports.terminal_table import NAME_LIMIT, table
from pytest_rewardkit.text import aligned, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger.baseline import BaselineComparison
    from pytest_rewardkit.ledger.gate import Decision
    from pytest_rewardkit.ledger.ledger import Figures, Ledger
    from pytest_rewardkit.ledger.models import ModelResult
    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.reports.terminal_lines import Glyphs, Line

CHANGES: Final = 5
"""Tests that changed since the baseline, unless ``-v`` asks for all."""
MISSING: Final = 5
"""Tests named among those that never ran, unless ``-v`` asks for all."""
_CHANGE_MARKUP: Final = {
    "worse": ("red",),
    "lost": ("red",),
    "gone": ("red",),
    "better": ("green",),
    "flaky": ("yellow",),
}


def status(value: float | None, *, passed: bool) -> tuple[str, str, dict[str, bool]]:
    """Return the letter, the word and the markup of a test that earned `value`; None means unscored."""
    if value is None:
        return "?", "UNSCORED", {"yellow" if passed else "red": True}
    if not passed:
        return "F", f"FAILED {shown(value)}", {"red": True}
    if value == 1.0:
        return ".", f"PASSED {shown(value)}", {"green": True}
    return str(int(value * 10)), f"PASSED {shown(value)}", {"yellow": True}


def section(
    ledger: Ledger,
    figures: Figures,
    *,
    width: int,
    verbosity: int,
    using: Glyphs,
    decisions: Sequence[Decision] = (),
    comparisons: Sequence[BaselineComparison] = (),
) -> list[Line]:
    """Return the reward section, without its title.

    Parameters:
        width: cells of the terminal.
        verbosity: 0 for tests that lost something, at most `ROWS`; 1 for all tests; 2 for their parts too.
        using: glyphs that the terminal can show.
        decisions: the decisions of the gates.
        comparisons: the run compared with each of its baselines.
    """
    lines: list[Line] = []
    if figures.tests:
        lines += table(ledger, width=width, verbosity=verbosity, using=using)
        lines.append(_means(figures, decisions))
        lines += wrapped("", _verdict_counts(figures), width=width, separator=", ", packed=True)
        for title, named in subsets(ledger.tasks).items():
            lines += wrapped(f"{title}: ", means(named, everything=verbosity > 0), width=width, separator=", ")
        if verbosity == 0 and any(_is_digit(test) for test in ledger.tests):
            lines.append(line_of("a digit in the progress is a reward: 5 from 0.50 to 0.59"))
        if figures.kept:
            lines.append(line_of(f"{counted(figures.kept, 'test')} kept from an earlier run"))
        slowest = (f"{duration(seconds)} {one_line(name, NAME_LIMIT)}" for name, seconds in figures.slowest)
        lines += wrapped("slowest: ", list(slowest), width=width, separator=", ")
    else:
        lines.append(line_of("no test earned a reward"))
    if figures.sandboxes:
        lines.append(line_of(_sandboxes(figures)))
    if figures.asked is not None:
        lines.append(line_of(models.asked(figures.asked)))
    lines += _models(model_results(ledger.tasks), width=width, using=using)
    if figures.missing:
        lines += _missing(figures, everything=verbosity > 0)
    if len(comparisons) > 1:
        lines += _columns(changes.table(comparisons, figures), width=width, using=using)
    for comparison in comparisons:
        lines += _comparison(comparison, width=width, verbosity=verbosity, using=using)
    return lines + [verdict(decision) for decision in decisions]


def _comparison(comparison: BaselineComparison, *, width: int, verbosity: int, using: Glyphs) -> list[Line]:
    lines = [line_of(text) for text in changes.summary(comparison)]
    for word, text in changes.details(comparison, most=None if verbosity > 0 else CHANGES):
        lines.append(line_of(cut(f"      {word:<6}  {text}", width, using), *_CHANGE_MARKUP.get(word, ())))
    return lines


def _models(results: Sequence[ModelResult], *, width: int, using: Glyphs) -> list[Line]:
    lines = _columns(models.table(results), width=width, using=using)
    return lines + [line_of(text) for text in models.differences(results)]


def _columns(rows: Sequence[tuple[str, ...]], *, width: int, using: Glyphs) -> list[Line]:
    """Return a table: names aligned left, numbers aligned right."""
    return [line_of(cut(text, width, using)) for text in aligned(rows)]


def verdict(decision: Decision) -> Line:
    """Return a gate's decision and its reason."""
    word = decision.state.value.upper() if decision.fails else decision.state.value
    markup = ("red",) if decision.fails else ("green",) if decision.passed else ()
    return line_of(f"{_gate(decision)} {word}: {decision.reason}", *markup)


def _gate(decision: Decision) -> str:
    return "gate" if decision.name == RUN else f"gate {one_line(decision.name, 60)}"


def stopped_by(failed: Sequence[Decision]) -> str:
    """Return pytest's line saying that gates failed the run."""
    first = f"reward {_gate(failed[0])}: {failed[0].reason}"
    return first if len(failed) == 1 else f"{first} (and {counted(len(failed) - 1, 'more gate')})"


def brief_section(
    figures: Figures, *, decisions: Sequence[Decision] = (), comparisons: Sequence[BaselineComparison] = ()
) -> list[Line]:
    """Return all that ``-q`` shows: the figures on one line, the comparisons with baselines, and the gates."""
    compared = [line_of(text) for comparison in comparisons for text in changes.summary(comparison)]
    return [one_line_section(figures), *compared, *(verdict(decision) for decision in decisions)]


def one_line_section(figures: Figures) -> Line:
    """Return the figures on one line."""
    if not figures.tests:
        text = "rewards: no test earned a reward"
    else:
        text = f"rewards: mean {shown(figures.mean)}{_with_unscored(figures)}, {_verdicts(figures)}"
    if figures.missing:
        text += f", {counted(len(figures.missing), 'test')} not run"
    return line_of(text)


def mean_color(mean: float | None, least: float | None) -> str:
    """Return the colour of a mean if the run requires at least `least`; None if it requires nothing."""
    if mean is None or least is None:
        return color_of(mean)
    return "green" if mean >= least else "red"


def _is_digit(test: Test) -> bool:
    return test.value is not None and status(test.value, passed=test.passed)[0].isdigit()


def _means(figures: Figures, decisions: Sequence[Decision]) -> Line:
    of_run = [decision for decision in decisions if decision.name == RUN and (decision.passed or decision.fails)]
    color = ("green" if of_run[0].passed else "red") if of_run else color_of(figures.mean)
    mean = Segment(f"mean {shown(figures.mean)}", (color, "bold"))
    scored = Segment(f" over {figures.over}")
    return (mean, scored, Segment(strict, ("purple",))) if (strict := _with_unscored(figures)) else (mean, scored)


def _with_unscored(figures: Figures) -> str:
    """Return the mean that gates use, if it differs from the mean over scored tests."""
    return f", {shown(figures.strict_mean)} with {figures.unscored:,} unscored as 0" if figures.unscored else ""


def _verdicts(figures: Figures) -> str:
    return ", ".join(_verdict_counts(figures))


def _verdict_counts(figures: Figures) -> list[str]:
    counts = [f"{count:,} {verdict}" for verdict, count in figures.verdicts.items()]
    if figures.reruns:
        counts[-1] += f" ({counted(figures.reruns, 'rerun')})"
    return counts


_WAITED: Final = 1.0
"""Seconds of waiting, over all tests, that are worth mentioning."""


def _sandboxes(figures: Figures) -> str:
    p50, p95 = duration(figures.start_p50 or 0.0), duration(figures.start_p95 or 0.0)
    used = f"{counted(figures.sandboxes, 'sandbox', 'sandboxes')} used, started in {p50} (p50), {p95} (p95)"
    return f"{used}; tests waited {duration(figures.waited)} for their turn" if figures.waited >= _WAITED else used


def _missing(figures: Figures, *, everything: bool) -> list[Line]:
    names = figures.missing if everything else figures.missing[:MISSING]
    lines = [line_of(f"{counted(len(figures.missing), 'collected test')} never ran to an end:", "red")]
    lines += [line_of(f"      {one_line(name, NAME_LIMIT)}") for name in names]
    if len(names) < len(figures.missing):
        lines.append(line_of(f"      and {len(figures.missing) - len(names):,} more (-v shows all)"))
    return lines
