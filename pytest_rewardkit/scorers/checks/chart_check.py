"""One check of the charts that a candidate shows. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.reward import Part
from pytest_rewardkit.reward_values import checked_weight
from pytest_rewardkit.scorers.checks.chart_reading import Chart, Series, is_sequence, label_of
from pytest_rewardkit.scorers.checks.mappings import of_mapping
from pytest_rewardkit.scorers.values.compare import compare_values
from pytest_rewardkit.scorers.values.tolerance import Tolerance
from pytest_rewardkit.text import one_line

TYPES: Final = ("line", "scatter", "bar", "pie", "box_and_whisker")

MAX_ALIKE: Final = 5
"""Charts that a check may match; if more do, the last ones count."""

MAX_TITLE: Final = 25
"""Words; any word could be found in a longer text of a chart."""


@dataclass(frozen=True, kw_only=True)
class ChartCheck:
    """A chart that must have been shown.

    The check picks the charts that fit best in everything except their values, and of these the last five, so that many
    charts are not many guesses. It can be gamed: five charts are five guesses at values, and the candidate itself
    says what a chart shows.

    Parameters:
        type: line, scatter, bar, pie or box_and_whisker.
        title, x_label, y_label: words that must be in these texts of the chart, in any letter case.
        values: what it must show: places to values (of bars: label to height, of boxes: label to median, of a pie:
            label to value, of which the shares count), or the values in order, or (x, y) points; of several series a
            mapping of their names to these, or a list of them, or all values in order. All series of the type count,
            none is left out.
        rel_tol, abs_tol: how far values may be apart (tolerance.py).
        name: what to call the check in reports.
        weight: how much it counts, 0 or more.

    Raises RewardkitUsageError for other types, with the nearest.
    """

    type: str | None = None
    title: str | None = None
    x_label: str | None = None
    y_label: str | None = None
    values: Mapping[str, Any] | Sequence[Any] | None = None
    rel_tol: float | None = None
    abs_tol: float | None = None
    name: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.type is not None and self.type not in TYPES:
            raise RewardkitUsageError(f"no type of chart {self.type!r}{did_you_mean(str(self.type), TYPES)}")
        Tolerance(self.rel_tol, self.abs_tol)
        checked_weight(self.weight, f"chart {self.label!r}")

    @property
    def label(self) -> str:
        if self.name is not None:
            return self.name
        return " ".join(["chart", *(str(given) for given in (self.type, self.title) if given)])

    @property
    def criteria(self) -> list[str]:
        """What the check requires of a chart, besides being shown."""
        return [name for name in ("type", "title", "x_label", "y_label", "values") if getattr(self, name) is not None]


def as_chart_checks(charts: Iterable[ChartCheck | Mapping[str, Any]]) -> tuple[ChartCheck, ...]:
    """Return checks given as `ChartCheck` objects or as mappings of its fields."""
    if isinstance(charts, str | Mapping | ChartCheck) or not isinstance(charts, Iterable):
        raise RewardkitUsageError(f"charts must be a list of checks, not {type(charts).__name__}")
    found = []
    for number, chart in enumerate(charts, start=1):
        if isinstance(chart, Mapping):
            chart = of_mapping(ChartCheck, chart, "a chart check", f"chart {number}: ")
        if not isinstance(chart, ChartCheck):
            raise RewardkitUsageError(f"chart {number} must be a ChartCheck or a mapping, not {type(chart).__name__}")
        found.append(chart)
    return tuple(found)


def judge_chart(check: ChartCheck, charts: Sequence[Chart], *, image_shown: bool) -> Part:
    """Return the part of the reward that `check` earns: the share of its criteria that the best chart meets.

    Parameters:
        charts: what is known about the charts that were shown.
        image_shown: whether anything was shown as an image. Without a chart, nothing else is known, and it is one
            criterion among those of the check.
    """
    whole = 1 + len(check.criteria)
    if not charts:
        reason = "an image was shown, without data to tell the rest by" if image_shown else "no chart was shown"
        met = 1 if image_shown else 0
        return _part(check, met / whole, reason)
    shortcomings = min((_shortcomings(check, chart) for chart in _meant(check, charts)), key=len)
    return _part(check, 1 - len(shortcomings) / whole, "; ".join(shortcomings))


def _meant(check: ChartCheck, charts: Sequence[Chart]) -> Sequence[Chart]:
    """The charts that a check may mean: those that best fit its type, title and labels, and of many the last."""
    without_values = replace(check, values=None)
    misfits = [len(_shortcomings(without_values, chart)) for chart in charts]
    fitting = [chart for chart, misfit in zip(charts, misfits, strict=True) if misfit == min(misfits)]
    return fitting[-MAX_ALIKE:]


def _part(check: ChartCheck, value: float, reason: str) -> Part:
    return Part(check.label, value, weight=check.weight, reason=reason if value < 1 else "")


def _shortcomings(check: ChartCheck, chart: Chart) -> list[str]:
    found = []
    for criterion in check.criteria:
        wanted = getattr(check, criterion)
        if criterion == "values":
            if reason := values_difference(check, chart):
                found.append(f"values: {reason}")
        elif criterion == "type":
            if not chart.of(wanted):
                kinds = " and ".join(sorted({one.kinds[0] for one in chart.series if one.kinds})) or "unknown"
                found.append(f"type is {one_line(kinds, 60)!r}, not {wanted!r}")
        else:
            given = getattr(chart, criterion)
            if not any(_words(str(wanted)) in _words(text) for text in given if _is_title(text)):
                found.append(f"{criterion} is {one_line(' / '.join(given), 60)!r}, not {wanted!r}")
    return found


def values_difference(check: ChartCheck, chart: Chart) -> str:
    """Return how a chart's values differ from those of a check, which may be written in several forms."""
    series = chart.of(check.type) or chart.series
    if all("pie" in one.kinds for one in series):
        total = sum(y for one in series for y in one.values if isinstance(y, float)) or 1.0
        series = tuple(replace(one, points=tuple((x, _share(y, total)) for x, y in one.points)) for one in series)
        wanted = _shares(check.values)
    else:
        wanted = _plain(check.values)
    tolerance = Tolerance(check.rel_tol, check.abs_tol)
    reasons = []
    for given, asked in _forms(series, wanted):
        reason = compare_values(given, asked, tolerance=tolerance).reason
        if not reason:
            return ""
        reasons.append(reason)
    names = ", ".join(one.label for one in series)
    several = f" (of {len(series)} series: {one_line(names, 60)})" if len(series) > 1 else ""
    return (reasons[0] if reasons else f"of {len(series)} series, which share labels, each needs its own") + several


def _forms(series: Sequence[Series], wanted: Any) -> Iterator[tuple[Any, Any]]:
    """The forms in which an author may write what is shown, each with the wanted values in the same form."""
    if isinstance(wanted, Mapping):
        items = list(wanted.values())
        if any(is_sequence(item) or isinstance(item, Mapping) for item in items):
            asked = {str(name): item for name, item in wanted.items()}
            given = {one.label: _in_form_of(asked.get(one.label), one) for one in series}
            yield given, {name: _like(item) for name, item in asked.items()}
            return
        points = [point for one in series for point in one.points if len(series) == 1 or not _is_gap(point[1])]
        if len({x for x, _ in points}) == len(points):
            yield dict(points), {label_of(label): item for label, item in wanted.items()}
        return
    items = list(wanted)
    if not items or not all(is_sequence(item) or isinstance(item, Mapping) for item in items):
        yield [y for one in series for y in one.values], items
        return
    yield [list(point) for one in series for point in one.points], [_point(item) for item in items]
    yield [_in_form_of(item, one) for item, one in zip_longest(items, series)], [_like(item) for item in items]


def _is_title(text: str) -> bool:
    return len(text.split()) <= MAX_TITLE


def _words(text: str) -> str:
    """A text in lower case without line breaks."""
    return " ".join(text.casefold().split())


def _in_form_of(wanted: Any, series: Series | None) -> Any:
    """A series in the form in which it is wanted: values by places, points, or values."""
    if series is None:
        return None
    if isinstance(wanted, Mapping):
        return dict(series.points)
    is_of_points = is_sequence(wanted) and wanted and all(is_sequence(point) for point in wanted)
    return [list(point) for point in series.points] if is_of_points else series.values


def _is_gap(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _like(item: Any) -> Any:
    """The wanted values of one series, in the form of the values read."""
    if isinstance(item, Mapping):
        return {label_of(label): value for label, value in item.items()}
    if is_sequence(item) and item and all(is_sequence(point) for point in item):
        return [_point(point) for point in item]
    return list(item) if is_sequence(item) else item


def _point(item: Any) -> Any:
    return [label_of(item[0]), *item[1:]] if is_sequence(item) and item else item


def _plain(values: Any) -> Any:
    """Tables, columns and arrays as mappings and lists."""
    if isinstance(values, Mapping):
        return {label: _plain(item) for label, item in values.items()}
    if hasattr(values, "to_dict"):
        return values.to_dict()
    if hasattr(values, "tolist"):
        return values.tolist()
    return [_plain(item) for item in values] if is_sequence(values) else values


def _share(value: Any, total: float) -> Any:
    # Angles are given to about seven digits.
    return round(value / total, 5) if isinstance(value, float) else value


def _shares(values: Any) -> Any:
    plain = _plain(values)
    numbers = list(plain.values()) if isinstance(plain, Mapping) else plain
    if not all(isinstance(number, int | float) for number in numbers):
        return plain
    total = float(sum(numbers)) or 1.0
    if isinstance(plain, Mapping):
        return {label: _share(float(number), total) for label, number in plain.items()}
    return [_share(float(number), total) for number in numbers]
