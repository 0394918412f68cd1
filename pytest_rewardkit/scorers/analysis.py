"""Scores a data analysis by what it found and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.reward_values import checked_weight
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.scorers.cases import TIME_LIMIT
from pytest_rewardkit.scorers.checks.case import checked_time_limit
from pytest_rewardkit.scorers.checks.chart_check import ChartCheck, as_chart_checks, judge_chart
from pytest_rewardkit.scorers.checks.chart_reading import charts_of_e2b, charts_read
from pytest_rewardkit.scorers.checks.insight import Insight, InsightFindings, as_insights
from pytest_rewardkit.scorers.checks.judging import readable
from pytest_rewardkit.scorers.checks.pictures import is_picture
from pytest_rewardkit.scorers.own_time import OwnTime
from pytest_rewardkit.scorers.response.extract import find_code
from pytest_rewardkit.scorers.running.call_evidence import with_evidence
from pytest_rewardkit.scorers.running.failures import sandbox_failures
from pytest_rewardkit.scorers.running.subject import Notebook
from pytest_rewardkit.scorers.running.tenants import settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.scorers.running.cell import Cell


PLOT: Final = "a plot is shown"

EMPTY: Final = "[]"
"""The reading of a figure in which nothing is drawn."""

MAX_IMAGES: Final = 10
"""Images that are examined; if there are more, the last ones."""


class AnalysisOptions(TypedDict, total=False):
    """The options of `score_analysis`, for functions that pass them on."""

    insights: Iterable[Insight | str | float | Mapping[str, Any]]
    charts: Iterable[ChartCheck | Mapping[str, Any]]
    datasets: Mapping[str, str | Path | bytes] | Iterable[str | Path]
    plot_bonus: float
    plot_replaces: bool
    setup: str
    time_limit: float
    extract: str


@with_evidence
def score_analysis(
    sandbox: Sandbox,
    candidate: str,
    *,
    insights: Iterable[Insight | str | float | Mapping[str, Any]] = (),
    charts: Iterable[ChartCheck | Mapping[str, Any]] = (),
    datasets: Mapping[str, str | Path | bytes] | Iterable[str | Path] = (),
    plot_bonus: float = 0.0,
    plot_replaces: bool = False,
    setup: str = "",
    time_limit: float = TIME_LIMIT,
    extract: str = "auto",
) -> Reward:
    """Return the reward of a data analysis: the weighted share of insights and charts found in its output.

    The candidate runs as a notebook's cell. The scorer looks at what it prints and displays.

    Parameters:
        sandbox: where it runs, in its own interpreter.
        candidate: code, or a model's response with code in it.
        insights: `Insight` objects, or texts, or numbers, to be found in what is printed and displayed.
        charts: `ChartCheck` objects, or mappings of their fields.
        datasets: files to upload to the working directory first: host paths, stored under their own names, or a mapping
            of names to host paths or bytes.
        plot_bonus: weight of an extra part for showing a plot; it counts only if the candidate shows one. So it lifts a
            reward, but not to 1.0 while something is missing. Any image that decodes and is not blank counts
            (pictures.py), so this part can be gamed; `Insight` and `ChartCheck` say how others can be.
        plot_replaces: let the bonus make up for missing insights: the reward is min((earned + bonus) / asked, 1).
        setup: code that runs before the candidate, in the same interpreter.
        time_limit: seconds for the candidate.
        extract: which of several code blocks is the candidate (extract.py).

    Returns a reward that is unscored, with the cause, when the sandbox or the way to it is lost.
    Raises RewardkitUsageError for wrong arguments, OSError for a dataset that cannot be read.
    """
    sought, checks = as_insights(insights), as_chart_checks(charts)
    if not sought and not checks:
        raise RewardkitUsageError("neither insights nor charts were given: nothing would be checked")
    checked_time_limit(time_limit)
    checked_weight(plot_bonus, "plot_bonus")
    uploads = _contents(datasets)
    extraction = find_code(candidate, policy=extract)
    if not extraction.code:
        return _failed(sought, checks, Verdict.NO_CODE, extraction.how)
    try:
        with sandbox_failures():
            again(lambda: [sandbox.files.write(name, content) for name, content in uploads.items()])
        with Notebook(sandbox, extraction.code, setup, limit=time_limit) as subject:
            cell = subject.load()
            unshown = subject.unshown_figures() if cell.verdict is None else []
    except SandboxUnavailable as error:
        return settled(sandbox, error, lambda verdict, reason: _failed(sought, checks, verdict, reason))
    if cell.verdict is not None:
        return _failed(sought, checks, cell.verdict, cell.reason, readable(cell.stderr))
    own_time = OwnTime()
    findings = InsightFindings(cell.transcript())
    parts = own_time.parts(sought, findings.judge, _unjudged)
    # E2B's own reading of a figure serves for figures that ours does not cover.
    readings = [*cell.readings, *unshown]
    shown = charts_read(readings) or charts_of_e2b(cell.charts)
    plotted = bool(plot_bonus or not shown) and _is_plotted(cell, unshown)
    parts += own_time.parts(checks, lambda check: judge_chart(check, shown, image_shown=plotted), _unjudged)
    reason = f"code judged: {extraction.how}"
    return _rewarded(parts, plot_bonus if plotted else 0.0, replaces=plot_replaces, reason=reason)


def _unjudged(item: Insight | ChartCheck, why: str) -> Part:
    return Part(item.label, 0.0, weight=item.weight, verdict=Verdict.TIMEOUT, reason=why)


def _is_plotted(cell: Cell, unshown: Sequence[str]) -> bool:
    """Whether a picture was shown, or a figure is left with something drawn in it.

    A shown figure has its reading beside its image, so an empty one is recognised although its frame is drawn.
    """
    if any(reading not in ("", EMPTY) for reading in unshown):
        return True
    return sum(map(is_picture, cell.images[-MAX_IMAGES:])) > cell.readings.count(EMPTY)


def _rewarded(parts: list[Part], bonus: float, *, replaces: bool, reason: str) -> Reward:
    if not bonus:
        return Reward.from_parts(parts, reason=reason)
    if not replaces:
        return Reward.from_parts([*parts, Part(PLOT, 1.0, weight=bonus)], reason=reason)
    asked = sum(part.weight for part in parts)
    value = min(float(Reward.from_parts(parts)) + bonus / asked, 1.0)
    return Reward(value, (*parts, Part(PLOT, 1.0, weight=0)), reason=reason)


def _contents(datasets: Mapping[str, str | Path | bytes] | Iterable[str | Path]) -> dict[str, bytes]:
    if isinstance(datasets, str | Path):
        datasets = [datasets]
    try:
        named = datasets if isinstance(datasets, Mapping) else {Path(path).name: path for path in datasets}
        return {name: item if isinstance(item, bytes) else Path(item).read_bytes() for name, item in named.items()}
    except (TypeError, OSError) as error:
        raise RewardkitUsageError(f"datasets must be paths, or a mapping of names to paths or bytes: {error}") from None


def _failed(
    insights: Sequence[Insight],
    charts: Sequence[ChartCheck],
    verdict: Verdict,
    reason: str,
    stderr: str | None = None,
) -> Reward:
    asked: list[Insight | ChartCheck] = [*insights, *charts]
    return Reward.from_parts(
        Part(item.label, 0.0, weight=item.weight, verdict=verdict, reason=readable(reason), stderr=stderr or None)
        for item in asked
    )
