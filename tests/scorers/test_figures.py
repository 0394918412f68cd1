"""The readings of figures that candidates show."""

from __future__ import annotations

import json
import math
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.scorers.analysis import score_analysis
from pytest_rewardkit.scorers.checks.chart_check import ChartCheck, judge_chart
from pytest_rewardkit.scorers.checks.chart_reading import charts_read
from pytest_rewardkit.scorers.guest.figures import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
pytest.importorskip("matplotlib").use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

NAN = math.nan
TIMES = "pd.date_range('2024-01-01', periods=3)"
MONTHS = [f"m{n}" for n in range(14)]

DRAWN: dict[str, tuple[str, dict[str, Any]]] = {
    "one bar": ("plt.bar(['a'], [3])", {"type": "bar", "values": {"a": 3}}),
    "bars of one height": ("plt.bar(['x', 'y', 'z'], [5, 5, 5])", {"type": "bar", "values": [5, 5, 5]}),
    "bars sideways": ("plt.barh(['x', 'y'], [4, 7])", {"type": "bar", "values": {"x": 4, "y": 7}}),
    "bars sideways, one": ("plt.barh(['x'], [4])", {"type": "bar", "values": {"x": 4}}),
    "years as numbers": ("plt.bar([1999, 2003], [4, 7])", {"type": "bar", "values": {1999: 4, 2003: 7}}),
    "bars by their edges": ("plt.bar([1, 2], [4, 7], align='edge')", {"type": "bar", "values": {1: 4, 2: 7}}),
    "many bars": (f"plt.bar({MONTHS}, range(14))", {"type": "bar", "values": {m: n for n, m in enumerate(MONTHS)}}),
    "a missing bar": ("plt.bar(['a', 'b'], [1, float('nan')])", {"type": "bar", "values": {"a": 1, "b": NAN}}),
    "bars with errors and caps": (
        "plt.bar(['a', 'b'], [2, 3], yerr=[[.1, .2], [.3, .4]], capsize=4)",
        {"type": "bar", "values": {"a": 2, "b": 3}},
    ),
    "bars with a mean": ("plt.bar(['a', 'b'], [2, 3])\nplt.axhline(2.5)", {"type": "bar", "values": {"a": 2, "b": 3}}),
    "bars over a log axis": (
        "plt.bar(['a', 'b'], [10, 1000])\nplt.yscale('log')",
        {"type": "bar", "values": {"a": 10, "b": 1000}},
    ),
    "bars of days": (
        f"plt.bar({TIMES}, [1, 2, 3])",
        {"type": "bar", "values": {"2024-01-01": 1, "2024-01-02": 2, "2024-01-03": 3}},
    ),
    "bars with texts set later": (
        "plt.bar([0, 1], [2, 3])\nplt.xticks([0, 1], ['a', 'b'], rotation=45)",
        {"type": "bar", "values": {"a": 2, "b": 3}},
    ),
    "grouped by hand": (
        "x = np.arange(2)\nplt.bar(x - .2, [1, 2], .4, label='A')\nplt.bar(x + .2, [3, 4], .4, label='B')\n"
        "plt.xticks(x, ['p', 'q'])\nplt.legend()",
        {"type": "bar", "values": {"A": {"p": 1, "q": 2}, "B": {"p": 3, "q": 4}}},
    ),
    "grouped, as lists": (
        "pd.DataFrame({'A': [1, 2], 'B': [3, 4]}).plot.bar()",
        {"type": "bar", "values": [[1, 2], [3, 4]]},
    ),
    "stacked": (
        "pd.DataFrame({'A': [1, 2], 'B': [3, 4]}, index=['x', 'y']).plot.barh(stacked=True)",
        {"type": "bar", "values": {"A": [1, 2], "B": [3, 4]}},
    ),
    "named by the legend": (
        "plt.plot([1, 2], [3, 4])\nplt.plot([1, 2], [5, 6])\nplt.legend(['low', 'high'])",
        {"type": "line", "values": {"low": [3, 4], "high": [(1, 5), (2, 6)]}},
    ),
    "histogram": ("plt.hist([1, 1, 2, 4], bins=[0, 2, 4, 6])", {"type": "bar", "values": [2, 1, 1]}),
    "line of days": (
        f"plt.plot({TIMES}, [1, 2, 3])",
        {"type": "line", "values": {"2024-01-01": 1, "2024-01-02": 2, "2024-01-03": 3}},
    ),
    "line of pandas": (
        f"pd.Series([1, 2, 3], index={TIMES}).plot()",
        {"type": "line", "values": {"2024-01-01": 1, "2024-01-02": 2, "2024-01-03": 3}},
    ),
    "line of words": ("plt.plot(['a', 'b'], [1, 2])", {"type": "line", "values": {"a": 1, "b": 2}}),
    "line with errors": ("plt.errorbar([1, 2], [3, 4], yerr=.1, capsize=2)", {"type": "line", "values": [3, 4]}),
    "line over two log axes": ("plt.loglog([1, 10], [1, 100])", {"type": "line", "values": [[1, 1], [10, 100]]}),
    "two lines": (
        "plt.plot([1, 2], label='a')\nplt.plot([3, 4], label='b')",
        {"type": "line", "values": {"a": [1, 2], "b": [3, 4]}},
    ),
    "masked": ("plt.plot([1, 2], np.ma.array([1, 5], mask=[0, 1]))", {"type": "line", "values": [1, NAN]}),
    "scatter": ("plt.scatter([1, 2], [3, 4])", {"type": "scatter", "values": [(1, 3), (2, 4)]}),
    "scatter of words": ("plt.scatter(['a', 'b'], [3, 4])", {"type": "scatter", "values": {"a": 3, "b": 4}}),
    "scatter by plot": ("plt.plot([1, 2], [3, 4], 'o')", {"type": "scatter", "values": [(1, 3), (2, 4)]}),
    "pie": ("plt.pie([1, 3], labels=['a', 'b'], explode=[0, .1])", {"type": "pie", "values": {"a": 25, "b": 75}}),
    "pie with a legend": (
        "w, *_ = plt.pie([1, 3])\nplt.legend(w, ['a', 'b'])",
        {"type": "pie", "values": {"a": 1, "b": 3}},
    ),
    "boxes": (
        "plt.boxplot([[1, 2, 3, 4, 30], [4, 5, 6, 6, 6]], patch_artist=True, notch=True)\n"
        "plt.xticks([1, 2], ['a', 'b'])",
        {"type": "box_and_whisker", "values": {"a": 3, "b": 6}},
    ),
    "boxes sideways": (
        "plt.boxplot([[1, 2, 3, 4, 30], [4, 5, 6, 6, 6]], orientation='horizontal')",
        {"type": "box_and_whisker", "values": [3, 6]},
    ),
    "boxes of pandas": (
        "pd.DataFrame({'p': [1, 2, 9], 'q': [4, 4, 4]}).boxplot()",
        {"type": "box_and_whisker", "values": {"p": 2, "q": 4}},
    ),
    "bars and a line": (
        "plt.bar(['a', 'b'], [1, 2])\nplt.twinx().plot(['a', 'b'], [30, 40])",
        {"type": "line", "values": [30, 40]},
    ),
    "titles": (
        "_, (_, right) = plt.subplots(1, 2)\nright.bar(['a'], [1])\nplt.suptitle('Both of them')\nright.set_title('B')",
        {"type": "bar", "title": "both of"},
    ),
    "a title of two lines": ("plt.bar(['a'], [1])\nplt.title('Sales\\nof  May')", {"title": "Sales of May"}),
    "names of bars beside error lines": (
        "for x in (0, 1): plt.plot([x, x], [1, 2], color='k')\nplt.plot([2, 2], [1, 2], color='k')\n"
        "bars = [plt.bar(['x', 'y'], [1, 2]), plt.bar(['z', 'w'], [3, 4])]\nplt.legend(bars, ['p', 'q'])",
        {"type": "bar", "values": {"p": {"x": 1, "y": 2}, "q": {"z": 3, "w": 4}}},
    ),
    "a column as what is wanted": ("plt.bar(['a', 'b'], [1, 2])", {"values": pd.Series([1, 2], index=["a", "b"])}),
    "an array as what is wanted": ("plt.bar(['a', 'b'], [1, 2])", {"values": np.array([1, 2])}),
}


@pytest.fixture(autouse=True)
def no_figures() -> Iterator[None]:
    yield
    plt.close("all")


def judged(draw: str, **check: Any) -> float:
    exec(textwrap.dedent(draw), {"plt": plt, "np": np, "pd": pd})
    return judge_chart(ChartCheck(**check), charts_read([written(plt.gcf())]), image_shown=True).value


@pytest.mark.parametrize(("draw", "check"), DRAWN.values(), ids=DRAWN)
def test_read(draw: str, check: dict[str, Any]) -> None:
    assert judged(draw, **check) == 1.0


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "another height": ("plt.bar(['a', 'b'], [2, 2])", {"values": {"a": 2, "b": 3}}),
    "another label": ("plt.bar(['a', 'c'], [2, 3])", {"values": {"a": 2, "b": 3}}),
    "one more": ("plt.bar(['a', 'b', 'c'], [2, 3, 4])", {"values": {"a": 2, "b": 3}}),
    "the first of two": ("plt.bar([0, 1], [1, 2])\nplt.bar([3, 4], [9, 9])", {"values": [1, 2]}),
    "the last of two": ("plt.bar([0, 1], [9, 9])\nplt.bar([0, 1], [1, 2])", {"values": {0: 1, 1: 2}}),
    "another order": ("plt.bar(['a', 'b'], [3, 2])", {"values": [2, 3]}),
    "names changed over": ("plt.plot([1], label='a')\nplt.plot([2], label='b')", {"values": {"a": [2], "b": [1]}}),
    "no gap": ("plt.plot([1, 2, 3])", {"values": [1, NAN, 3]}),
    "shares": ("plt.pie([1, 2], labels=['a', 'b'])", {"values": {"a": 25, "b": 75}}),
    "type": ("plt.plot([1, 2])", {"type": "bar"}),
    "a line is no cloud of points": ("plt.plot([1, 2], 'o-')", {"type": "scatter"}),
    "title": ("plt.bar(['a'], [1])\nplt.title('Left')", {"title": "right"}),
}


@pytest.mark.parametrize(("draw", "check"), WRONG.values(), ids=WRONG)
def test_wrong(draw: str, check: dict[str, Any]) -> None:
    assert judged(draw, **check) < 1.0


def test_of_very_many_points_the_first_are_read() -> None:
    plt.plot(range(10_000_000))
    plt.title("Many")
    reading = written(plt.gcf())
    assert len(reading) < 1_000_000
    assert judge_chart(ChartCheck(type="line", title="many"), charts_read([reading]), image_shown=True).value == 1.0


def test_what_cannot_be_read_is_left_to_what_e2b_gives() -> None:
    assert "AttributeError" in json.loads(written(object()))[0]["unread"]
    assert charts_read([written(object())]) == []


@pytest.mark.parametrize(
    "reading",
    [
        *("", "[", "{}", "5", "null", "[" * 100_000),
        *('[{"series": 5}]', '[{"series": [{"kinds": ["bar"], "label": "", "points": [[1]]}]}]'),
        *('[{"series": [{"kinds": 5, "label": 1, "points": []}]}]', '[{"titles": 7, "series": []}]'),
    ],
    ids=range(10),
)
def test_what_was_forged_tells_of_nothing(reading: str) -> None:
    part = judge_chart(ChartCheck(type="bar", values=[1]), charts_read([reading]), image_shown=True)
    assert part.value == pytest.approx(1 / 3)


def test_huge_numbers_that_were_forged() -> None:
    series = {"kinds": ["pie"], "label": "", "points": [["a", 1e308], ["b", 1e308], ["c", "nan"], ["d", 10**400]]}
    for reading in (json.dumps([{"series": [series]}]), json.dumps([{"series": [{**series, "kinds": ["bar"]}]}])):
        for values in ({"a": 1}, [1, 2], {"a": [1]}):
            charts = charts_read([reading])
            assert judge_chart(ChartCheck(values=values), charts, image_shown=True).value < 1.0


SHOWN = "import matplotlib.pyplot as plt\nplt.bar(['a', 'b'], [2, 2])\n"


@pytest.mark.parametrize(
    "candidate",
    [
        f"{SHOWN}plt.show()",
        SHOWN,
        f"import matplotlib\nmatplotlib.use('Agg')\n{SHOWN}plt.show()",
        f"{SHOWN}plt.gcf()",
        "import pandas as pd\npd.Series([2, 2], index=['a', 'b']).plot.bar()",
    ],
    ids=["shown", "left", "agg", "value", "pandas"],
)
def test_in_a_sandbox(sandbox: Sandbox, candidate: str) -> None:
    check = ChartCheck(type="bar", values={"a": 2, "b": 2})
    reward = score_analysis(sandbox, candidate, charts=[check], plot_bonus=0.5)
    assert [part.value for part in reward.parts] == [1.0, 1.0]


def test_what_is_read_is_beside_what_e2b_gives(sandbox: Sandbox) -> None:
    result = sandbox.run_code(f"{SHOWN}plt.show()").results[0]
    assert result.chart is not None
    assert not result.extra


SAVED = {
    "and closed": "plt.bar(['a'], [1])\nplt.savefig('o.png')\nplt.close()",
    "and cleared": "plt.bar(['a'], [1])\nplt.savefig('o.png')\nplt.clf()",
    "two in one figure": (
        "plt.bar(['a'], [1])\nplt.savefig('o.png')\nplt.clf()\nplt.plot([1, 2])\nplt.savefig('p.png')\nplt.close()"
    ),
    "without pyplot": (
        "from matplotlib.figure import Figure\nfigure = Figure()\nfigure.subplots().bar(['a'], [1])\n"
        "figure.savefig('o.png')"
    ),
    "by pandas": "import pandas as pd\npd.Series({'a': 1}).plot.bar().figure.savefig('o.png')\nplt.close('all')",
}


@pytest.mark.parametrize("draw", SAVED.values(), ids=SAVED)
def test_figures_that_are_saved(sandbox: Sandbox, draw: str) -> None:
    code = f"import matplotlib.pyplot as plt\n{draw}"
    reward = score_analysis(sandbox, code, charts=[ChartCheck(type="bar", values={"a": 1})])
    assert reward.value == 1.0, reward
    reward = score_analysis(sandbox, code, charts=[ChartCheck(type="bar", values={"a": 2})])
    assert reward.value is not None
    assert reward.value < 1.0
