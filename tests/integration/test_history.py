"""``--rewardkit-history``: runs are kept, and the next run is shown beside them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

SUITE = """
    import os

    def test_first(reward):
        reward.record(float(os.environ["EARNED"]))

    def test_second(reward):
        reward.record(0.5)
"""
OPTIONS = ("--rewardkit-history=kept", "--rewardkit-html=report.html")


def page(pytester: pytest.Pytester) -> tuple[Any, Any]:
    text = (pytester.path / "report.html").read_text("ascii")
    islands = re.findall(r'<script type="application/json" id="[\w-]+">(.*?)</script>', text)
    return tuple(map(json.loads, islands))  # type: ignore[return-value]


def test_runs_are_kept_and_shown_beside_the_next(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(SUITE)
    for earned, line in (("0.5", "history: no earlier run"), ("0.75", "history: mean 0.62, 0.50 last time")):
        monkeypatch.setenv("EARNED", earned)
        run(*OPTIONS).stdout.fnmatch_lines([line])
    kept = sorted((pytester.path / "kept").iterdir())
    assert len(kept) == 2
    (pytester.path / "kept" / "other.jsonl").write_text("{}\n")
    overview, details = page(pytester)
    assert [mean for _, mean in overview["history"]] == [0.5]
    assert overview["mean"] == 0.625
    assert sorted(test["history"] for test in details) == [[0.5], [0.5]]
    # Reporting the same run again adds none, and compares it with the runs before it.
    told = run(*OPTIONS, f"--rewardkit-from={kept[-1]}")
    told.stdout.fnmatch_lines(["history: mean 0.62, 0.50 last time", "history leaves out other.jsonl: line 1: *"])
    assert sorted((pytester.path / "kept").glob("2*")) == kept
    # A selection of tests has its own mean.
    run(*OPTIONS, "-k", "first").stdout.fnmatch_lines(
        ["history: 2 earlier runs, * not all tests were to run (-k first)"]
    )


def test_a_file_in_place_of_the_folder_is_refused_at_once(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    (pytester.path / "kept").write_text("")
    result = run("--rewardkit-history=kept")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--rewardkit-history: cannot write to *kept: Not a directory*"])
