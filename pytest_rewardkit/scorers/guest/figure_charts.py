"""Reads the charts of a matplotlib figure from what is drawn; runs in the candidate's interpreter.

It is sent there, so it needs only the standard library, and of matplotlib only the figure. A chart consists of the
texts of axes and their series of points (checks/chart_reading.py).
"""

from __future__ import annotations

import itertools
import math
import sys
from datetime import date, datetime

TYPING = False
if TYPING:
    from typing import Any


MAX_POINTS = 20_000
"""Points of a figure; further ones are left out."""


def read(figure: Any) -> list[dict[str, Any]]:
    """The charts of a figure: one for each place with content; axes that share a place are one chart."""
    suptitle = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    places: dict[Any, dict[str, Any]] = {}
    room = MAX_POINTS
    for axes in figure.axes:
        if hasattr(axes, "_colorbar") or not axes.has_data():
            continue
        place = tuple(round(float(number), 3) for number in axes.get_position().bounds)
        chart = places.setdefault(place, {"titles": [suptitle], "x_labels": [], "y_labels": [], "series": []})
        chart["titles"] += [axes.get_title(loc=where) for where in ("center", "left", "right")]
        found = _series(axes)
        sideways = any(series.pop("sideways", False) for series in found)
        texts = [axes.get_xlabel(), axes.get_ylabel()]
        chart["x_labels"] += texts if sideways else texts[:1]
        chart["y_labels"] += texts if sideways else texts[1:]
        for series in found:
            series["points"] = series["points"][:room]
            room -= len(series["points"])
        chart["series"] += _named(axes, found)
    return list(places.values())


def _series(axes: Any) -> list[dict[str, Any]]:
    boxes, aside = _boxes(axes)
    found = [boxes] if boxes else []
    for container in axes.containers:
        kind = type(container).__name__
        if kind == "BarContainer":
            found.append(_bars(axes, container))
        elif kind == "ErrorbarContainer":
            aside += container[1]
        elif kind == "StemContainer":
            aside.append(container.baseline)
    return [*found, *_lines(axes, aside), *_scatters(axes), *_pie(axes)]


def _lines(axes: Any, aside: list[Any]) -> list[dict[str, Any]]:
    left_out = {id(line) for line in aside}
    return [
        {
            "kinds": ["scatter", "line"] if _has_no_stroke(line) else ["line"],
            **_name(line, "Line", number),
            "points": _points(axes, line.get_xdata(orig=True), line.get_ydata(orig=True)),
        }
        for number, line in enumerate(axes.lines)
        # Lines across the whole axes use another transformation.
        if id(line) not in left_out and line.get_transform() is axes.transData and _is_seen(line)
    ]


def _has_no_stroke(line: Any) -> bool:
    return line.get_linestyle() in ("None", "none", " ", "")


def _name(artist: Any, kind: str, number: int) -> dict[str, Any]:
    label = str(artist.get_label())
    is_unnamed = label.startswith("_")
    return {"label": f"{kind} {number}" if is_unnamed else label[:200], "unnamed": is_unnamed}


def _scatters(axes: Any) -> list[dict[str, Any]]:
    return [
        {
            "kinds": ["scatter"],
            **_name(collection, "Group", number),
            "points": [
                [_place(axes.xaxis, x), _place(axes.yaxis, y)]
                for x, y in collection.get_offsets()[:MAX_POINTS].tolist()
            ],
        }
        for number, collection in enumerate(axes.collections)
        if type(collection).__name__ == "PathCollection" and len(collection.get_offsets())
    ]


def _pie(axes: Any) -> list[dict[str, Any]]:
    wedges = [patch for patch in axes.patches if type(patch).__name__ == "Wedge"]
    points = [[label, wedge.theta2 - wedge.theta1] for label, wedge in _labelled(axes, wedges)]
    return [{"kinds": ["pie"], "label": "", "points": points}] if points else []


def _is_seen(line: Any) -> bool:
    return bool(line.get_visible()) and len(line.get_xdata(orig=False)) > 0


def _bars(axes: Any, container: Any) -> dict[str, Any]:
    bars = list(container)[:MAX_POINTS]
    sideways = getattr(container, "orientation", None) == "horizontal"
    axis = axes.yaxis if sideways else axes.xaxis
    starts = [float(bar.get_y() if sideways else bar.get_x()) for bar in bars]
    widths = [float(bar.get_height() if sideways else bar.get_width()) for bar in bars]
    middles = [start + width / 2 for start, width in zip(starts, widths)]  # noqa: B905
    if not _are_whole(middles) and _are_whole(starts):
        middles = starts  # bars aligned by their edges
    return {
        "kinds": ["bar"],
        **_name(container, "Group", axes.containers.index(container)),
        "sideways": sideways,
        "points": [
            [_place(axis, middle), _number(bar.get_width() if sideways else bar.get_height())]
            for middle, bar in zip(middles, bars)  # noqa: B905
        ],
    }


def _are_whole(numbers: list[float]) -> bool:
    return all(abs(number - round(number)) < 1e-6 for number in numbers if math.isfinite(number))


def _boxes(axes: Any) -> tuple[dict[str, Any] | None, list[Any]]:
    """The boxes with their medians, and the lines that belong to them: closed shapes with a line across."""
    outlines = [(line, line.get_xydata()) for line in axes.lines if len(line.get_xdata(orig=False)) >= 5]
    outlines = [(line, points) for line, points in outlines if (points[0] == points[-1]).all()]
    patches = [patch for patch in axes.patches if type(patch).__name__ == "PathPatch"]
    shapes = [points for _, points in outlines] + [patch.get_path().vertices for patch in patches]
    others = [line for line in axes.lines if not any(line is outline for outline, _ in outlines)]
    strokes = [(line, line.get_xydata()) for line in others if len(line.get_xdata(orig=False)) == 2]
    for along in (1, 0):
        medians = [(points, _median(points, strokes, along)) for points in shapes]
        if shapes and all(median is not None for _, median in medians):
            break
    else:
        return None, []
    axis = axes.xaxis if along else axes.yaxis
    placed = []
    for points, median in medians:
        across = [float(point[1 - along]) for point in points]
        placed.append([_place(axis, (min(across) + max(across)) / 2), median])
    markers = [line for line in others if _has_no_stroke(line)]
    own = [line for line, _ in outlines] + [line for line, _ in strokes] + markers
    own += [line for line in others if len(line.get_xdata(orig=False)) < 2]
    return {"kinds": ["box_and_whisker"], "label": "", "sideways": not along, "points": placed}, own


def _median(box: Any, strokes: list[Any], along: int) -> float | None:
    """Where a line runs from one side of a box to the other."""
    low, high = min(point[along] for point in box), max(point[along] for point in box)
    left, right = min(point[1 - along] for point in box), max(point[1 - along] for point in box)
    widest, found = 0.0, None
    left, right = left - 1e-9, right + 1e-9
    for _, (start, end) in strokes:
        level, one, other = float(start[along]), float(start[1 - along]), float(end[1 - along])
        is_inside = level == float(end[along]) and low <= level <= high and one != other
        # Caps of whiskers may be there too; they are drawn before the median, and are not wider.
        if (
            is_inside
            and left - 1e-9 <= min(one, other) <= max(one, other) <= right + 1e-9
            and abs(other - one) >= widest
        ):
            widest, found = abs(other - one) - 1e-9, level
    return found


def _points(axes: Any, x: Any, y: Any) -> list[list[Any]]:
    return [[_place(axes.xaxis, one), _place(axes.yaxis, other)] for one, other in zip(_listed(x), _listed(y))]  # noqa: B905


def _listed(values: Any) -> list[Any]:
    if hasattr(values, "filled"):
        values = values.astype(float).filled(math.nan)
    return list(values[:MAX_POINTS])


def _place(axis: Any, value: Any) -> Any:
    """The value at a place of an axis: a text, a date or a number."""
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, date) or getattr(getattr(value, "dtype", None), "kind", "f") == "M":
        return _dated(value)
    if not hasattr(value, "__float__"):
        return _dated(value)
    number = float(value)
    converter = type(axis.get_converter() if hasattr(axis, "get_converter") else axis.converter).__name__
    if not math.isfinite(number):
        return _number(number)
    if "Date" in converter:
        dates: Any = sys.modules["matplotlib.dates"]
        return _dated(dates.num2date(number).replace(tzinfo=None))
    if converter == "PeriodConverter":  # from pandas, which counts periods
        pandas: Any = sys.modules["pandas"]
        return str(pandas.Period(ordinal=int(number), freq=axis.freq))
    locator = type(axis.get_major_locator()).__name__
    if locator in ("FixedLocator", "StrCategoryLocator"):
        return _tick(axis, number) or _number(number)
    return _number(number)


def _dated(value: Any) -> str:
    if hasattr(value, "dtype"):
        value = str(value.astype("datetime64[s]"))
    text = value.isoformat() if isinstance(value, (date, datetime)) else str(value)
    return text.removesuffix("T00:00:00")[:200]


def _tick(axis: Any, number: float) -> str:
    """The text of the nearest tick, if it belongs to the bar or point."""
    places = [float(place) for place in axis.get_majorticklocs()]
    if not places:
        return ""
    ordered = sorted(set(places))
    gap = min((b - a for a, b in itertools.pairwise(ordered)), default=1.0)
    nearest = min(range(len(places)), key=lambda index: abs(places[index] - number))
    if abs(places[nearest] - number) >= gap / 2:
        return ""
    texts = axis.get_major_formatter().format_ticks(places)
    return str(texts[nearest])[:200]


def _number(value: Any) -> Any:
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _labelled(axes: Any, artists: list[Any]) -> list[tuple[str, Any]]:
    texts, labelled = _legend(axes), []
    for index, artist in enumerate(artists):
        label = str(artist.get_label())
        if label.startswith("_") or not label:
            label = texts[index] if len(texts) == len(artists) else label
        labelled.append((label[:200], artist))
    return labelled


def _named(axes: Any, series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Series, with the legend's texts as names for those without one, if it has a text for each of their kind."""
    texts = _legend(axes)
    unnamed = [one for one in series if one.pop("unnamed", False)]
    for kinds in [one["kinds"] for one in series] if texts else []:
        alike = [one for one in series if one["kinds"] == kinds]
        if len(alike) == len(texts) and all(any(one is other for other in unnamed) for one in alike):
            for one, text in zip(alike, texts):  # noqa: B905
                one["label"] = text
    return series


def _legend(axes: Any) -> list[str]:
    legend = axes.get_legend()
    return [text.get_text()[:200] for text in legend.get_texts()] if legend is not None else []
