"""Earlier runs: which files in a folder are runs, in which order, and how a run is shown beside them."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit import Reward
from pytest_rewardkit.ledger.history import History, PastRun
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import TestResult
from pytest_rewardkit.reports.history import lines
from pytest_rewardkit.reports.results import past_runs as module
from pytest_rewardkit.reports.results.file import Writer
from pytest_rewardkit.reports.results.lines import attempt_line, end_line, run_line
from pytest_rewardkit.reports.results.past_runs import RUNS, moment, past_runs

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def keep(path: Path, started: str, *values: float | None, whole: bool = True, **fields: object) -> None:
    ledger = Ledger()
    names = [f"test_{number}" for number in range(len(values))]
    ledger.expect(names)
    for name, value in zip(names, values, strict=True):
        ledger.add(name, TestResult("passed", 0.0, Record(Reward(value))))
    end = end_line(
        ended=started, seconds=1.0, exit_status=0, complete=True, figures=ledger.figures(), decisions=[], **fields
    )  # type: ignore[arg-type]
    attempts = [attempt_line(test, ledger.index(test.node_id)) for test in ledger.tests]
    Writer(path, [run_line({"started": started}), *attempts, *([end] if whole else [])]).close()


def test_the_last_runs_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    # Names and times of files mean nothing: a cache changes both.
    for day in range(1, RUNS + 6):
        keep(tmp_path / f"{99 - day}.jsonl", f"2026-01-{day:02}T10:00:00+00:00", day / 100)
    keep(tmp_path / "deeper" / "x.jsonl.gz", "2026-02-01T01:00:00+05:00", 1.0, None)
    keep(tmp_path / "of now.jsonl", NOW.isoformat(), 1.0)
    history = past_runs(tmp_path, NOW)
    assert len(history.runs) == RUNS
    assert history.left_out == []
    assert history.means[:2] == [0.07, 0.08]
    assert history.runs[-1] == PastRun(
        "x.jsonl.gz", moment("2026-01-31T20:00:00"), 1.0, {"test_0": 1.0, "test_1": None}
    )
    assert history.rewards_of("test_1")[-2:] == [None, None]


def test_a_run_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl.gz"):
        keep(tmp_path / name, "2026-01-01T10:00:00+00:00", 0.5)
    assert past_runs(tmp_path, NOW).means == [0.5]


def test_runs_of_some_tests_have_no_mean_and_still_their_rewards(tmp_path: Path) -> None:
    keep(tmp_path / "narrow.jsonl", "2026-01-01T10:00:00+00:00", 0.5, narrowed_by="-k x")
    keep(tmp_path / "cut.jsonl", "2026-01-02T10:00:00+00:00", 0.25, whole=False)
    history = past_runs(tmp_path, NOW)
    assert history.means == []
    assert history.rewards_of("test_0") == [0.5, 0.25]


def test_files_that_are_no_runs_are_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path / "good.jsonl", "2026-01-01T10:00:00+00:00", 0.5)
    good = (tmp_path / "good.jsonl").read_text("ascii")
    (tmp_path / "broken.jsonl").write_text("{\n")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "foreign.jsonl").write_text('{"question": "?"}\n')
    (tmp_path / "late.jsonl").write_text(good.replace("2026-01-01", "2026-01-02").replace("weight", "w\n"))
    (tmp_path / "no gzip.jsonl.gz").write_text("x")
    (tmp_path / "timeless.jsonl").write_text(good.replace("2026-01-01T", "yesterday "))
    (tmp_path / "large.jsonl.gz").write_bytes(gzip.compress(b"x" * 50_000))
    (tmp_path / "shard.jsonl").write_text(good.replace('"started"', '"shard":{"number":1,"of":2},"started"'))
    (tmp_path / "weight.jsonl").write_text(good.replace('"weight":1.0', '"weight":"x"'))
    (tmp_path / "infinite.jsonl").write_text(good.replace('"weight":1.0', '"weight":1e999'))
    (tmp_path / "nested.jsonl").write_text(good.replace('"weight":1.0', f'"params":{"[" * 5000}{"]" * 5000}'))
    (tmp_path / "ancient.jsonl").write_text(good.replace("2026-01-01T10:00:00+00:00", "0001-01-01T00:00:00+05:00"))
    (tmp_path / "readme.txt").write_text("not looked at")
    (tmp_path / ".hidden.jsonl").write_text("neither")
    os.mkfifo(tmp_path / "pipe.jsonl")
    monkeypatch.setattr(module, "MAX_TEXT", 20_000)
    monkeypatch.setattr(module, "MAX_FIRST", 20_000)
    history = past_runs(tmp_path, NOW)
    assert history.means == [0.5]
    reasons = dict(text.split(": ", 1) for text in history.left_out)
    assert set(reasons) == {
        "ancient.jsonl",
        "broken.jsonl",
        "empty.jsonl",
        "foreign.jsonl",
        "infinite.jsonl",
        "large.jsonl.gz",
        "late.jsonl",
        "nested.jsonl",
        "no gzip.jsonl.gz",
        "shard.jsonl",
        "timeless.jsonl",
        "weight.jsonl",
    }
    assert reasons["broken.jsonl"] == "line 1: not JSON"
    assert reasons["large.jsonl.gz"] == "it is too large"
    assert str(tmp_path) not in " ".join(text for name, text in reasons.items() if name != "no gzip.jsonl.gz")


def runs(*means: float | None) -> History:
    return History([PastRun("x", NOW, mean, {}) for mean in means])


@pytest.mark.parametrize(
    ("history", "partial", "shown"),
    [
        (runs(), "", "no earlier run"),
        (runs(0.79), "", "mean 0.81, 0.79 last time"),
        (runs(0.5, None, 0.79), "", "mean 0.81, 0.79 last time; before that 0.50"),
        (runs(*[0.5] * 9, 0.79), "", f"mean 0.81, 0.79 last time; before that ...{' 0.50' * 6}"),
        (runs(None), "", "1 earlier run, none of them with a mean of all tests"),
        (runs(0.5, 0.6), "stopped", "2 earlier runs, whose means are not set beside this one: stopped"),
    ],
)
def test_a_line_for_the_terminal(history: History, partial: str, shown: str) -> None:
    assert lines(history, 0.81, partial=partial) == [f"history: {shown}"]


def test_of_many_files_that_were_left_out_some_are_named() -> None:
    history = History(left_out=list("abcde"))
    assert lines(history, None)[1:] == [*(f"history leaves out {name}" for name in "abc"), "      and 2 more"]
    assert lines(history, None, everything=False)[1:] == ["history leaves out 5 files"]
