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
    with pytest.raises(RewardkitUsageError, match=r"datasets must be files.*No such file.*missing.csv"):
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


def test_an_image_that_is_none_is_no_chart(sandbox: Sandbox) -> None:
    """What a candidate displays under an image's name counts as shown, and for no more than that."""
    candidate = "from IPython.display import display\ndisplay({'image/png': 'AAAA'}, raw=True)"
    assert score_analysis(sandbox, candidate, charts=[{"type": "bar", "title": "x", "values": [1]}]).value == 0.25


def test_a_sandbox_that_is_gone_is_unscored(sandbox: Sandbox) -> None:
    sandbox.kill()
    assert score_analysis(sandbox, "x = 1", datasets={"a.csv": b"x"}, insights=["x"]).value is None


def test_wrong_arguments(sandbox: Sandbox) -> None:
    with pytest.raises(RewardkitUsageError, match="neither insights nor charts"):
        score_analysis(sandbox, "x = 1")
    with pytest.raises(RewardkitUsageError, match="plot_bonus"):
        score_analysis(sandbox, "x = 1", insights=["x"], plot_bonus=-1)
