"""The analysis scorer, end to end: datasets, insights, charts and the plot bonus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.scorers.analysis import score_analysis

if TYPE_CHECKING:
    from pathlib import Path

    from e2b_code_interpreter import Sandbox

SALES = b"region,revenue\nnorth,100\nsouth,250.5\nnorth,20\n"

CANDIDATE = """\
Let me look at the data.

```python
import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv("sales.csv")
totals = table.groupby("region")["revenue"].sum()
print(f"The best region is South, with {totals['south']:,.2f}.")
plt.bar(totals.index, totals.values)
plt.title("Revenue by region")
plt.xlabel("Region")
plt.show()
totals
```
"""


def test_insights_and_charts(sandbox: Sandbox) -> None:
    reward = score_analysis(
        sandbox,
        CANDIDATE,
        datasets={"sales.csv": SALES},
        insights=["best region is south", 250.5, {"number": 120, "name": "north"}, "nothing of the kind"],
        charts=[{"type": "bar", "title": "revenue", "values": {"north": 120, "south": 250.5}}, {"type": "line"}],
    )
    assert [part.value for part in reward.parts] == [1.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    assert reward.value == pytest.approx(4.5 / 6)


def test_datasets_go_by_their_own_names(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_bytes(SALES)
    candidate = "print(len(open('sales.csv').readlines()))"
    for datasets in ([tmp_path / "sales.csv"], {"sales.csv": tmp_path / "sales.csv"}):
        assert score_analysis(sandbox, candidate, datasets=datasets, insights=[4]).value == 1.0
    with pytest.raises(RewardkitUsageError, match=r"datasets must be paths.*No such file.*missing.csv"):
        score_analysis(sandbox, candidate, datasets=[tmp_path / "missing.csv"], insights=[4])


PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n"


@pytest.mark.parametrize(
    ("candidate", "options", "value"),
    [
        ("print('one two')", {}, 1.0),
        ("print('one')", {}, 0.5),
        (PLOT + "print('one')", {}, 0.5),
        (PLOT + "print('one')", {"plot_bonus": 0.5}, 1.5 / 2.5),
        (PLOT + "print('one')", {"plot_bonus": 0.5, "plot_replaces": True}, 0.75),
        (PLOT + "print('one two')", {"plot_bonus": 0.5, "plot_replaces": True}, 1.0),
        (PLOT + "print('one two')", {"plot_bonus": 0.5}, 1.0),
        ("print('one two')", {"plot_bonus": 0.5}, 1.0),
        ("print('one')", {"plot_bonus": 0.5}, 0.5),
        (PLOT, {"plot_bonus": 2, "plot_replaces": True}, 1.0),
        (PLOT, {}, 0.0),
    ],
)
def test_a_bonus_lifts_but_does_not_replace_unless_asked_for(
    sandbox: Sandbox, candidate: str, options: dict[str, Any], value: float
) -> None:
    assert score_analysis(sandbox, candidate, insights=["one", "two"], **options).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        ("print('one')\n1 / 0", "runtime_error"),
        ("print('one')\nwhile True: pass", "timeout"),
        ("print('one'", "compile_error"),
        ("The answer is one.", "no_code"),
    ],
)
def test_a_candidate_that_fails_earns_nothing(sandbox: Sandbox, candidate: str, verdict: str) -> None:
    reward = score_analysis(sandbox, candidate, insights=["one"], charts=[{"type": "bar"}], time_limit=3)
    assert (reward.value, reward.verdict) == (0.0, verdict)


def test_flooding_the_output_finds_nothing(sandbox: Sandbox) -> None:
    assert score_analysis(sandbox, "print(*range(100_000))", insights=[42, 4711]).value == 0.0
    assert score_analysis(sandbox, "print(*range(100_000))", insights=["42"]).value == 0.0


RAW = "from IPython.display import display\ndisplay({{'{kind}': {data}}}, raw=True)\n"
BLANK = "import base64, io\nfrom PIL import Image\nb = io.BytesIO()\nImage.new('RGB', {size}, 'red').save(b, 'png')\n"
PICTURES = {
    "four letters": RAW.format(kind="image/png", data="'AAAA'"),
    "bytes that are no image": "class P:\n    def _repr_png_(self): return b'x'\nP()\n",
    "a signature": "class P:\n    def _repr_png_(self): return bytes([137]) + b'PNG\\r\\n' + bytes(90)\nP()\n",
    "no jpeg": "class P:\n    def _repr_jpeg_(self): return b'\\xff\\xd8' + bytes(90)\nP()\n",
    "an empty svg": RAW.format(kind="image/svg+xml", data="'<svg></svg>'"),
    "one pixel": BLANK.format(size=(1, 1)) + "from IPython.display import Image as I\nI(b.getvalue())",
    "one color": BLANK.format(size=(90, 90)) + "from IPython.display import Image as I\nI(b.getvalue())",
    "an empty figure": "import matplotlib.pyplot as plt\nplt.figure()\nplt.show()\n",
    "an empty figure, not shown": "import matplotlib\nmatplotlib.use('agg')\nimport pylab as p\np.figure()\n",
    "axes without data": "import matplotlib.pyplot as plt\nplt.subplots()\nplt.title('x')\nplt.show()\n",
    "a chart without an image": (
        "class C:\n    def _repr_e2b_chart_(self): return {'type': 'bar', 'title': 'x', 'elements': []}\n"
        "    def __repr__(self): return ''\nC()\n"
    ),
}


@pytest.mark.parametrize("candidate", PICTURES.values(), ids=PICTURES)
def test_what_shows_nothing_is_no_plot(sandbox: Sandbox, candidate: str) -> None:
    reward = score_analysis(sandbox, candidate, insights=["one"], plot_bonus=1)
    assert (reward.value, len(reward.parts)) == (0.0, 1)


@pytest.mark.parametrize(
    "candidate",
    [
        PLOT,
        "import matplotlib\nmatplotlib.use('agg')\n" + PLOT,
        "import matplotlib.pyplot as plt\nplt.imshow([[1, 2], [3, 4]])\nplt.show()\n",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('a.png')\nplt.close()\n",
        BLANK.replace("'red')", "'red')").format(size=(64, 64))
        + "im = Image.new('L', (64, 64))\nim.putpixel((63, 63), 9)\nfrom IPython.display import display\ndisplay(im)\n",
        RAW.format(kind="image/svg+xml", data='\'<svg xmlns="x"><path d="M0 0L9 9"/></svg>\''),
    ],
)
def test_what_shows_something_is_a_plot(sandbox: Sandbox, candidate: str) -> None:
    reward = score_analysis(sandbox, candidate, insights=["one"], plot_bonus=1)
    assert (reward.value, len(reward.parts)) == (0.5, 2)


def test_an_image_that_is_none_is_no_chart(sandbox: Sandbox) -> None:
    assert (
        score_analysis(sandbox, PICTURES["four letters"], charts=[{"type": "bar", "title": "x", "values": [1]}]) == 0.0
    )


def test_many_charts_are_not_many_guesses(sandbox: Sandbox) -> None:
    axes = "'x_label': None, 'y_label': None, 'x_unit': None, 'y_unit': None"
    element = "{'label': 'a', 'group': 'g', 'value': self.n}"
    chart = f"{{'type': 'bar', 'title': 't', {axes}, 'elements': [{element}]}}"
    candidate = (
        "from IPython.display import display\nclass C:\n    def __init__(self, n): self.n = n\n"
        f"    def _repr_e2b_chart_(self): return {chart}\n"
        "for n in range(90): display(C(n))\n"
    )
    check = {"type": "bar", "title": "t", "values": {"a": 42}}
    assert score_analysis(sandbox, candidate, charts=[check]).value == pytest.approx(3 / 4)
    drawn = "import matplotlib.pyplot as plt\nfor n in range(20):\n    plt.bar(['a'], [n + 30])\n    plt.show()\n"
    assert score_analysis(sandbox, drawn, charts=[{"type": "bar", "values": {"a": 42}}]).value == pytest.approx(2 / 3)
    few = drawn.replace("range(20)", "range(10, 14)")
    assert score_analysis(sandbox, few, charts=[{"type": "bar", "values": {"a": 42}}]).value == 1.0


def test_a_sandbox_that_is_gone_is_unscored(sandbox: Sandbox) -> None:
    sandbox.kill()
    assert score_analysis(sandbox, "x = 1", datasets={"a.csv": b"x"}, insights=["x"]).value is None


def test_wrong_arguments(sandbox: Sandbox) -> None:
    with pytest.raises(RewardkitUsageError, match="neither insights nor charts"):
        score_analysis(sandbox, "x = 1")
    with pytest.raises(RewardkitUsageError, match="plot_bonus"):
        score_analysis(sandbox, "x = 1", insights=["x"], plot_bonus=-1)
