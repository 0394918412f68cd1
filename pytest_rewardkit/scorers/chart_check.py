"""One check of the charts that a candidate shows, judged by E2B's chart data. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, did_you_mean
from pytest_rewardkit.reward import Part, checked_weight
from pytest_rewardkit.scorers.compare import compare_values
from pytest_rewardkit.scorers.tolerance import Tolerance
from pytest_rewardkit.text import one_line

TYPES: Final = ("line", "scatter", "bar", "pie", "box_and_whisker")
MOST_CHARTS: Final = 100


@dataclass(frozen=True, kw_only=True)
class ChartCheck:
    """A chart that must have been shown.

    Parameters
    ----------
    type: line, scatter, bar, pie or box_and_whisker.
    title, x_label, y_label: words that must be in these texts of the chart, letter case aside.
    values: what it must show. Of bars: label to value, or the values in order. Of a pie: label to value; only shares
        count. Of lines and points: label of a series to its y values or (x, y) points, or these alone for a single
        series. Of boxes: label to median.
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
        try:
            checked_weight(self.weight, f"chart {self.label!r}")
        except ValueError as error:
            raise RewardkitUsageError(str(error)) from None

    @property
    def label(self) -> str:
        if self.name is not None:
            return self.name
        return " ".join(["chart", *(str(given) for given in (self.type, self.title) if given)])

    @property
    def criteria(self) -> list[str]:
        """What the check asks of a chart, beyond that it was shown."""
        return [name for name in ("type", "title", "x_label", "y_label", "values") if getattr(self, name) is not None]


FIELDS: Final = tuple(item.name for item in fields(ChartCheck))


def as_chart_checks(charts: Iterable[ChartCheck | Mapping[str, Any]]) -> tuple[ChartCheck, ...]:
    """Return checks given as `ChartCheck` objects or as mappings of its fields."""
    if isinstance(charts, str | Mapping | ChartCheck):
        raise RewardkitUsageError(f"charts must be a list of checks, not {type(charts).__name__}")
    found = []
    for number, chart in enumerate(charts, start=1):
        if isinstance(chart, Mapping):
            for key in chart:
                if key not in FIELDS:
                    raise RewardkitUsageError(f"chart {number}: no field {key!r}{did_you_mean(str(key), FIELDS)}")
            chart = ChartCheck(**chart)
        if not isinstance(chart, ChartCheck):
            raise RewardkitUsageError(f"chart {number} must be a ChartCheck or a mapping, not {type(chart).__name__}")
        found.append(chart)
    return tuple(found)


def judge_chart(check: ChartCheck, charts: Sequence[Mapping[str, Any]], *, image_shown: bool) -> Part:
    """Return the part of the reward that `check` earns: the share of its criteria that the best chart meets.

    Parameters
    ----------
    charts: E2B's chart data, as JSON.
    image_shown: whether anything was shown as an image. Without chart data, that is all that can be said, and it is
        one criterion among those of the check.
    """
    whole = 1 + len(check.criteria)
    flat = [chart for chart in _flat(charts) if isinstance(chart, Mapping)][:MOST_CHARTS]
    if not flat:
        reason = "an image was shown, without data to tell the rest by" if image_shown else "no chart was shown"
        met = 1 if image_shown else 0
        return _part(check, met / whole, reason)
    shortcomings = min((_shortcomings(check, chart) for chart in flat), key=len)
    return _part(check, 1 - len(shortcomings) / whole, "; ".join(shortcomings))


def _part(check: ChartCheck, value: float, reason: str) -> Part:
    return Part(check.label, value, weight=check.weight, reason=reason if value < 1 else "")


def _flat(charts: Iterable[Any]) -> Iterator[Any]:
    """The charts, and in place of one that holds several, these."""
    for chart in charts:
        if isinstance(chart, Mapping) and chart.get("type") == "superchart":
            elements = chart.get("elements")
            yield from elements if isinstance(elements, list) else ()
        else:
            yield chart


def _shortcomings(check: ChartCheck, chart: Mapping[str, Any]) -> list[str]:
    found = []
    for criterion in check.criteria:
        wanted = getattr(check, criterion)
        if criterion == "values":
            reason = _values_difference(check, chart)
            if reason:
                found.append(f"values: {reason}")
            continue
        given = chart.get(criterion)
        is_met = given == wanted if criterion == "type" else str(wanted).casefold() in str(given or "").casefold()
        if not is_met:
            found.append(f"{criterion} is {one_line(str(given), 60)!r}, not {wanted!r}")
    return found


def _values_difference(check: ChartCheck, chart: Mapping[str, Any]) -> str:
    wanted = check.values
    given: Any
    try:
        given = _values(chart)
        if chart["type"] == "pie":
            given, wanted = _shares(given), _shares(wanted)
    except (TypeError, ValueError, LookupError, AttributeError):
        return "the chart's data is malformed"
    if not isinstance(wanted, Mapping):
        if chart.get("type") in ("line", "scatter"):
            given = next(iter(given.values())) if len(given) == 1 else given
        else:
            given = list(given.values())
    return compare_values(_like(given, wanted), wanted, tolerance=Tolerance(check.rel_tol, check.abs_tol)).reason


def _values(chart: Mapping[str, Any]) -> dict[str, Any]:
    elements = chart["elements"]
    kind = chart["type"]
    if kind in ("line", "scatter"):
        return {element["label"]: [tuple(map(_number, point)) for point in element["points"]] for element in elements}
    key = {"bar": "value", "pie": "angle", "box_and_whisker": "median"}[kind]
    return {element["label"]: _number(element[key]) for element in elements}


def _number(value: Any) -> Any:
    """Numbers, which arrive as texts at times; other texts, such as dates, as they are."""
    try:
        return float(value)
    except ValueError:
        return value


def _shares(values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    total = math.fsum(values.values())
    # Angles are given to seven digits or so.
    return {label: round(value / total, 5) if total else 0.0 for label, value in values.items()}


def _like(given: Any, wanted: Any) -> Any:
    """Points as the y values alone, wherever these alone are wanted."""
    if isinstance(wanted, Mapping) and isinstance(given, dict):
        return {label: _like(item, wanted.get(label)) for label, item in given.items()}
    points = isinstance(given, list) and bool(given) and all(isinstance(point, tuple) for point in given)
    if points and isinstance(wanted, Sequence) and not any(isinstance(item, Sequence) for item in wanted):
        return [point[-1] for point in given]
    if points and isinstance(wanted, Sequence):
        return [list(point) if isinstance(item, list) else point for point, item in zip(given, wanted, strict=False)]
    return given
