"""`pytest-rewardkit bench`: its figures, its rounds, and its messages if something is missing."""

from __future__ import annotations

import threading

import pytest

from pytest_rewardkit.bench.command import main
from pytest_rewardkit.bench.figures import HEADING, Round, lines, nearest_rank
from pytest_rewardkit.bench.rounds import rounds


@pytest.mark.parametrize(
    ("count", "share", "rank"),
    [(1, 0.95, 1), (10, 0.95, 10), (20, 0.95, 19), (100, 0.95, 95), (100, 0.99, 99), (101, 0.99, 100), (4, 1.0, 4)],
)
def test_a_percentile_is_a_value_that_was_measured(count: int, share: float, rank: int) -> None:
    assert nearest_rank([float(number) for number in range(1, count + 1)], share) == rank


def test_lines_have_figures_and_causes() -> None:
    lost = [TimeoutError("late\x1b[31m\nby far")] * 2 + [OSError("gone")]
    done = Round("one by one", (0.3, *lost, 0.1, 0.2))
    assert [line.split() for line in (HEADING, *lines(done))] == [
        ["answered", "median", "p95", "p99", "min", "max"],
        ["one", "by", "one", "3", "of", "6", "200", "300", "300", "100", "300"],
        ["2", "of", "them:", "TimeoutError:", "late\\x1b[31m", "by", "far"],
        ["1", "of", "them:", "OSError:", "gone"],
    ]


def test_none_has_answered() -> None:
    assert [line.split() for line in lines(Round("all", (OSError("gone"),)))] == [
        ["all", "0", "of", "1"],
        ["1", "of", "them:", "OSError:", "gone"],
    ]


def test_the_last_round_is_all_at_once() -> None:
    line = threading.Barrier(3)
    calls = iter(range(9))

    def first() -> float:
        number = next(calls)
        if number >= 6:
            line.wait()
        if number == 0:
            raise OSError("gone")
        return 0.25

    done = list(rounds(first, 3, 0.001))
    assert [each.name for each in done] == ["one by one", "one each 1 ms", "3 at once"]
    assert [len(each.seconds) for each in done] == [2, 3, 3]
    assert done[0].causes == {"OSError: gone": 1}


@pytest.mark.parametrize(
    ("words", "key", "said"),
    [
        (["--url", "cluster.example"], "e2b_x", "cluster.example is not a URL"),
        (["--url", "https://cluster.example"], None, "set E2B_API_KEY to the cluster's key"),
        (["--no-local"], None, "nothing to measure: set E2B_API_KEY"),
        (["-n", "0"], None, "from 1 to 1000, not 0"),
        (["--stagger", "0"], None, "above 0"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    words: list[str],
    key: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in ("E2B_API_URL", "E2B_DOMAIN", "E2B_SANDBOX_URL", "E2B_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    if key is not None:
        monkeypatch.setenv("E2B_API_KEY", key)
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["bench", *words])
    assert said in capsys.readouterr().err


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("E2B_API_KEY", "e2b_x")
    assert main(["bench", "--url", "http://127.0.0.1:9", "--no-local"]) == 1
    assert "does anything answer at that address?" in capsys.readouterr().err
