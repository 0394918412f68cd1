"""The figures at the top of the page, and the means of groups."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, duration, shown, signed
from pytest_rewardkit.ledger.statistics import weighted_mean, wilson
from pytest_rewardkit.reports import models
from pytest_rewardkit.reports.graders import figures as figures_of_graders
from pytest_rewardkit.reports.html.model import Figure, PageGroup
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.ledger import ledger as run
    from pytest_rewardkit.ledger.baseline import BaselineComparison
    from pytest_rewardkit.ledger.statistics import Interval
    from pytest_rewardkit.ledger.test import Test
    from pytest_rewardkit.reports.html.model import PageTest, Tone

_CONFIDENCE: Final = 0.95
INTERVAL: Final = "95 % interval"


def run_figures(figures: run.Figures, tests: Sequence[PageTest]) -> list[Figure]:
    """Return the results of a run, most important first."""
    shown_figures = [Figure("Mean reward", shown(figures.mean), _interval_text(figures.mean, _earned(tests)))]
    if figures.unscored:
        shown_figures.append(
            Figure("Mean, unscored as 0", shown(figures.strict_mean), f"{figures.unscored:,} unscored")
        )
    scored = "" if figures.scored == figures.tests else f"{figures.scored:,} scored"
    shown_figures.append(Figure("Tests", f"{figures.tests:,}", scored))
    if (attempts := figures.attempts + figures.reruns) != figures.tests:
        reruns = counted(figures.reruns, "rerun") if figures.reruns else ""
        shown_figures.append(Figure("Attempts", f"{attempts:,}", reruns))
    if figures.sandboxes and figures.start_p50 is not None:
        start = f"half started within {duration(figures.start_p50)}"
        shown_figures.append(Figure("Sandboxes", f"{figures.sandboxes:,}", start))
    if (asked := figures.asked) is not None:
        value = f"{asked.answers:,}" if asked.cost is None else models.dollars(asked.cost)
        note = models.asked(asked) if asked.cost is None else models.asked(replace(asked, cost=None))
        shown_figures.append(Figure("Answers" if asked.cost is None else "Model cost", value, note))
    return shown_figures


def grader_figures(checks: Sequence[Test]) -> list[Figure]:
    """Return the results of a self-check of graders; nothing if there are no checks."""
    return [Figure(title.capitalize(), figure, note) for title, figure, note in figures_of_graders(checks)]


def change_figures(comparisons: Sequence[BaselineComparison]) -> list[Figure]:
    """Return how the mean has changed since each baseline."""
    figures = []
    for comparison in comparisons:
        if comparison.means is None:
            continue
        before, now = comparison.means
        low, high = comparison.interval()
        # The colour may not claim more than the number shows.
        tone: Tone = "good" if low > 0 else "bad" if high < 0 else ""
        since = "Since the baseline" if len(comparisons) == 1 else f"Since {one_line(comparison.name, 60)}"
        figures.append(Figure(since, signed(now - before), f"{INTERVAL} {signed(low)} to {signed(high)}", tone))
    return figures


def groups_of(tests: Sequence[PageTest]) -> list[PageGroup]:
    """Return the groups, the lowest mean first."""
    members: defaultdict[str, list[PageTest]] = defaultdict(list)
    for test in tests:
        members[test.group].append(test)
    groups = [_group(name, of_name) for name, of_name in members.items()]
    return sorted(groups, key=lambda group: -1.0 if group.mean is None else group.mean)


def _group(name: str, tests: Sequence[PageTest]) -> PageGroup:
    earned = _earned(tests)
    mean = weighted_mean(earned)
    interval = _interval(mean, earned)
    return PageGroup(
        name=name,
        tests=len(tests),
        mean=mean,
        unscored=len(tests) - len(earned),
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        baseline=weighted_mean([(test.baseline, test.weight) for test in tests if test.baseline is not None]),
    )


def _interval_text(mean: float | None, earned: Sequence[tuple[float, float]]) -> str:
    interval = _interval(mean, earned)
    return "" if interval is None else f"{INTERVAL} {shown(interval.low)} to {shown(interval.high)}"


def _interval(mean: float | None, earned: Sequence[tuple[float, float]]) -> Interval | None:
    """Return Wilson's interval around `mean`, the weighted mean of `earned`; None if nothing has a weight.

    Rewards between 0 and 1 vary less than successes with the same mean, so the interval is never too narrow. Unlike the
    bootstrap, it works for groups of a few tests, and costs nothing for thousands of groups. With unequal weights, the
    tests count as (sum w)^2 / sum w^2 tests (L. Kish (1965), "Survey Sampling", section 11.7).
    """
    if mean is None:
        return None
    weights = [weight for _, weight in earned]
    # Divided by the largest weight, so that no square overflows.
    largest = max(weights)
    weights = [weight / largest for weight in weights]
    count = math.fsum(weights) ** 2 / math.fsum(weight**2 for weight in weights)
    return wilson(mean * count, count, _CONFIDENCE)


def _earned(tests: Sequence[PageTest]) -> list[tuple[float, float]]:
    return [(value, test.weight) for test in tests if (value := test.counted) is not None]
