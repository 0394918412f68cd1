"""Charts as series of points, from our own reading of a figure (figures.py) or from E2B's chart data. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_CHARTS: Final = 100
MAX_READING: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Series:
    """Points drawn together: their kinds (a line of markers only is also a scatter), name and values."""

    kinds: tuple[str, ...]
    label: str
    points: tuple[tuple[Any, Any], ...]

    @property
    def values(self) -> list[Any]:
        return [y for _, y in self.points]


@dataclass(frozen=True, slots=True)
class Chart:
    """The content of one place of a figure; any of its texts may match."""

    series: tuple[Series, ...]
    title: tuple[str, ...] = ()
    x_label: tuple[str, ...] = ()
    y_label: tuple[str, ...] = ()

    def of(self, kind: str | None) -> tuple[Series, ...]:
        """The series of a kind; all series for None."""
        return self.series if kind is None else tuple(one for one in self.series if kind in one.kinds)


def charts_read(readings: Iterable[str]) -> list[Chart]:
    """Return the charts in readings of figures; a malformed reading was forged, and gives none."""
    found: list[Chart] = []
    for text in readings:
        try:
            charts = json.loads(text if len(text) <= MAX_READING else "")
            found += [_read(chart) for chart in charts if "unread" not in chart]
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue
    return found[:MAX_CHARTS]


def _read(chart: Mapping[str, Any]) -> Chart:
    series = tuple(
        Series(
            tuple(map(str, one["kinds"])),
            str(one["label"]),
            tuple((label_of(x), number_of(y)) for x, y in one["points"]),
        )
        for one in chart["series"]
    )
    return Chart(series, *(_texts(chart.get(name, ())) for name in ("titles", "x_labels", "y_labels")))


def charts_of_e2b(charts: Iterable[Any]) -> list[Chart]:
    """Return the charts in E2B's chart data, given as JSON."""
    found = []
    for chart in _flat(charts):
        if not isinstance(chart, Mapping):
            continue
        texts = [_texts([chart.get(name)]) for name in ("title", "x_label", "y_label")]
        try:
            series = tuple(_series_of_e2b(chart))
        except (TypeError, ValueError, LookupError, AttributeError):
            series = (Series((str(chart.get("type")),), "", ()),)
        found.append(Chart(series, *texts))
    return found[:MAX_CHARTS]


def _flat(charts: Iterable[Any]) -> Iterator[Any]:
    """The charts, with each chart that holds several replaced by those."""
    for chart in charts:
        if isinstance(chart, Mapping) and chart.get("type") == "superchart":
            elements = chart.get("elements")
            yield from elements if isinstance(elements, list) else ()
        else:
            yield chart


def _series_of_e2b(chart: Mapping[str, Any]) -> Iterator[Series]:
    kind, elements = str(chart["type"]), chart["elements"]
    if kind in ("line", "scatter"):
        for element in elements:
            points = tuple((label_of(x), number_of(y)) for x, y in element["points"])
            yield Series((kind,), str(element["label"]), points)
        return
    key = {"bar": "value", "pie": "angle", "box_and_whisker": "median"}[kind]
    groups: dict[str, list[tuple[Any, Any]]] = {}
    for element in elements:
        groups.setdefault(str(element.get("group", "")), []).append(
            (label_of(element["label"]), number_of(element[key]))
        )
    yield from (Series((kind,), label, tuple(points)) for label, points in groups.items())


def _texts(texts: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in texts if text)


def number_of(value: Any) -> Any:
    """Numbers, which sometimes arrive as texts; other texts, such as dates, unchanged."""
    try:
        return float(value)
    except (ValueError, OverflowError):
        return str(value)


_MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00(?:\.0{1,9})?)?(?:\+00:00|Z)?\Z")


def label_of(value: Any) -> Any:
    """A label or a place, such that 2020, 2020.0 and "2020" are equal, and so are a date and its midnight."""
    if hasattr(value, "isoformat"):
        value = value.isoformat()
    if isinstance(value, str):
        text = _MIDNIGHT.sub("", value.strip()[:500].replace("\N{MINUS SIGN}", "-"))
        try:
            number = float(text.replace(",", "")) if re.fullmatch(r"[-+\d.,eE]{1,40}", text) else math.nan
        except ValueError:
            return text
        return number if math.isfinite(number) else text
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return str(value)


def is_sequence(value: Any) -> bool:
    """Whether it is a sequence other than a text."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
