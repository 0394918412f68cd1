"""A run's use of sandboxes, counted from its journal, and its limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.run.bounds import bounds_of
from pytest_rewardkit.sandboxes.usage.bounds import UsageBounds
from pytest_rewardkit.sandboxes.usage.figures import E2B_PRICES, Prices, SandboxUsage
from pytest_rewardkit.sandboxes.usage.journal import Journal
from pytest_rewardkit.settings import RunSettings

if TYPE_CHECKING:
    from pathlib import Path


def used(*events: dict[str, object]) -> SandboxUsage:
    usage = SandboxUsage()
    for event in events:
        usage.take(event)
    return usage


def born(sandbox_id: str, at: float, ends: float, **size: float) -> dict[str, object]:
    return {"created": sandbox_id, "mark": sandbox_id, "at": at, "ends": ends, **size}


def test_seconds_end_with_the_sandbox_and_with_its_lifetime() -> None:
    usage = used(
        born("killed", 100.0, 400.0),
        {"gone": "killed", "at": 110.0},
        {"gone": "killed", "at": 300.0},
        born("expired", 100.0, 130.0),
        born("alive", 100.0, 400.0),
    )
    assert (usage.created, usage.killed, usage.left(200.0)) == (3, 1, ["alive"])
    assert usage.seconds(200.0) == 10 + 30 + 100


def test_cost_is_that_of_what_each_sandbox_has() -> None:
    usage = used(born("usual", 0.0, 3600.0), born("big", 0.0, 3600.0))
    usage.take({"sized": "big", "processors": 8.0, "gib": 4.0})
    assert usage.cost(Prices(1.0, 10.0), 3600.0) == pytest.approx(2 + 5 + 8 + 40)
    assert used(born("usual", 0.0, 3600.0)).cost(E2B_PRICES, 3600.0) == pytest.approx(0.1089)


def test_what_was_asked_for_is_open_until_it_is_answered() -> None:
    usage = used({"asked": "a", "at": 1.0}, {"asked": "b", "at": 1.0}, {"asked": "c", "at": 1.0})
    usage.take(born("a", 2.0, 300.0))
    usage.take({"refused": "b", "at": 2.0})
    assert list(usage.open_marks) == ["c"]


CUT = b'{"created": "i1", "mark": "m", "ends": "soon", "at": 1.0}'


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b'{"created": 1}', b'{"gone": "unknown", "at": 1.0}', b"\xff\x00", CUT]
)
def test_a_line_that_is_none_is_passed_over(tmp_path: Path, line: bytes) -> None:
    journal = Journal(tmp_path / "run.jsonl")
    journal.created("mark", "known", 300)
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    journal.gone("known")
    assert (journal.usage().created, journal.usage().killed) == (1, 1)


def test_processes_read_what_others_write_as_it_comes(tmp_path: Path) -> None:
    mine, theirs = (Journal(tmp_path / "runs" / "run.jsonl") for _ in range(2))
    assert mine.usage().created == 0
    theirs.created("mark", "theirs", 300)
    assert mine.usage().left() == ["theirs"]
    with mine.path.open("ab") as file:
        file.write(b'{"gone": "the')
    assert mine.usage().killed == 0
    with mine.path.open("ab") as file:
        file.write(b'irs", "at": %.1f}\n' % time.time())
    assert mine.usage().killed == 1
    theirs.close(remove=True)
    assert not mine.path.exists()


def test_beyond_a_bound_nothing_is_asked_for() -> None:
    usage = used(born("one", 0.0, 100.0))
    UsageBounds(seconds=101.0).require_room(usage)
    with pytest.raises(SandboxUnavailable, match=r"100\.0 of 100 sandbox-seconds .*--rewardkit-max-sandbox-seconds"):
        UsageBounds(seconds=100.0).require_room(usage)
    with pytest.raises(SandboxUnavailable, match=r"--rewardkit-max-cost"):
        UsageBounds(cost=0.001, prices=E2B_PRICES).require_room(usage)


@pytest.mark.parametrize(
    ("variables", "known"),
    [
        ({}, True),
        ({"E2B_DOMAIN": "e2b.app"}, True),
        ({"E2B_API_URL": "http://localhost"}, False),
        ({"E2B_DOMAIN": "mine"}, False),
    ],
)
def test_only_e2b_s_own_prices_are_known(pytestconfig: pytest.Config, variables: dict[str, str], known: bool) -> None:
    settings = RunSettings.of(pytestconfig)._replace(vcpu_price=None, gib_price=None)
    assert (bounds_of(settings, variables, "e2b").prices == E2B_PRICES) == known
    assert bounds_of(settings, variables, "local").prices is None
    given = settings._replace(vcpu_price=0.5, max_cost=1.0)
    assert bounds_of(given, {"E2B_DOMAIN": "mine"}, "e2b").prices == Prices(0.5, 0.0)
    with pytest.raises(RewardkitUsageError, match="needs prices"):
        bounds_of(settings._replace(max_cost=1.0), {"E2B_DOMAIN": "mine"}, "e2b")
