"""Each isolation level by name, on this machine, as root and as an ordinary user: no level changes a reward."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from environments import bare_root
from environments.bare_root import CHROOT, PIVOT
from environments.machine import PYTEST
from environments.results import Run, at_least

from pytest_rewardkit.local.guest.plan import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT, USER = 0, 1000
TIME_LIMIT = 600
"""Seconds; beyond them it is a hang, not a busy machine."""

LEVELS = {
    ROOT: (Level.FULL, Level.NO_PROCFS, Level.UID, Level.LANDLOCK, Level.WEAK),
    USER: (Level.FULL, Level.NO_PROCFS, Level.NS_NOCAP, Level.LANDLOCK, Level.WEAK),
}
NAMES = {ROOT: "root", USER: "user"}


@pytest.fixture(autouse=True)
def a_root_can_be_made() -> None:
    if reason := bare_root.why_not():
        pytest.skip(f"no root of its own can be made here: {reason}")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for a root, with a short path and open to all, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="root-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def run_pytest(place: Path, work: Path, user: int, *arguments: str, isolation: str = "auto", enter: str = PIVOT) -> Run:
    shutil.copy(Path(__file__).with_name("everyday.py"), work / "test_everyday.py")
    server = [sys.executable, "-B", "-m", "pytest_rewardkit.local", "run", f"--isolation={isolation}", "--"]
    results = "--rewardkit-results=/place/results.jsonl"
    command = [*server, *PYTEST, "--rewardkit", "--rewardkit-provider=e2b", results]
    done = bare_root.run(place, work, user, [*command, *arguments], enter=enter, timeout=TIME_LIMIT)
    return Run.read(work, done)


@pytest.mark.parametrize(
    ("user", "level"),
    [(user, level) for user, levels in LEVELS.items() for level in levels],
    ids=[f"{NAMES[user]}-{level}" for user, levels in LEVELS.items() for level in levels],
)
def test_everyday_candidates_are_right(user: int, level: Level, place: Path, work: Path):
    run = run_pytest(place, work, user, isolation=level)
    assert run.status == 0, run.printed
    assert set(run.outcomes.values()) <= {("passed", 1.0)}
    assert "10 passed" in run.printed


@pytest.mark.parametrize(("user", "least"), [(ROOT, Level.UID), (USER, Level.LANDLOCK)], ids=NAMES.values())
def test_everyday_candidates_are_right_in_a_chroot(user: int, least: Level, place: Path, work: Path):
    run = run_pytest(place, work, user, "--rewardkit-provider=local", enter=CHROOT)
    assert run.status == 0, run.printed
    assert "10 passed" in run.printed
    assert at_least(run.level, least)
