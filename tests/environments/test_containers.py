"""Containers of a real engine, where CI usually runs. No environment changes a reward, and nothing waits forever."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from environments.machine import PYTEST, REPOSITORY, mounted
from environments.results import Run, at_least

from pytest_rewardkit.local.guest.plan import Level

if TYPE_CHECKING:
    from environments.engine import Engine

TIME_LIMIT = 600
"""Seconds; beyond them it is a hang, not a busy machine. An idle one takes 4, and 30 for the example suites."""

ROOT, USER = "0:0", "1000:1000"
READ_ONLY = "--read-only --tmpfs=/tmp"
NO_RIGHTS = "--cap-drop=ALL --security-opt=no-new-privileges"
ANY_CALL = "--security-opt=seccomp=unconfined"
ADMINISTRATOR = "--cap-add=SYS_ADMIN"
# As docs/how-to/where-you-run-ci.md has it.
LINE_FOR_FULL = (
    "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined IMAGE pytest --rewardkit"
)
ANY_CALL_AND_PROC = LINE_FOR_FULL.removeprefix("docker run ").partition(" IMAGE")[0]


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of container.

    Parameters:
        flags: options of `docker run`.
        levels: the weakest levels that root and an ordinary user may get in it.
    """

    flags: str
    levels: tuple[Level, Level]


PLACES = {
    "default": Place("--init", (Level.UID, Level.LANDLOCK)),
    "no init": Place("", (Level.UID, Level.LANDLOCK)),
    "no capabilities": Place("--init --cap-drop=ALL", (Level.LANDLOCK, Level.LANDLOCK)),
    "read-only": Place(f"--init {READ_ONLY}", (Level.UID, Level.LANDLOCK)),
    "Kubernetes, restricted": Place(f"{READ_ONLY} {NO_RIGHTS}", (Level.LANDLOCK, Level.LANDLOCK)),
    "64 processes": Place("--init --pids-limit=64", (Level.UID, Level.LANDLOCK)),
    "512 MB": Place("--init --memory=512m", (Level.UID, Level.LANDLOCK)),
    "any call": Place(f"--init {ANY_CALL}", (Level.NO_PROCFS, Level.NO_PROCFS)),
    "any call, whole proc": Place(f"--init {ANY_CALL_AND_PROC}", (Level.FULL, Level.FULL)),
    "administrator": Place(f"--init {ADMINISTRATOR}", (Level.NO_PROCFS, Level.NO_PROCFS)),
    "administrator, any call": Place(f"--init {ADMINISTRATOR} {ANY_CALL}", (Level.NO_PROCFS, Level.NO_PROCFS)),
    "administrator, any call, whole proc": Place(
        f"--init {ADMINISTRATOR} {ANY_CALL_AND_PROC}", (Level.FULL, Level.FULL)
    ),
}


def run_pytest(engine: Engine, flags: str, user: str, work: Path, *arguments: str) -> Run:
    mounts = [f"--volume={path}:{path}:ro" for path in mounted()]
    own = [f"--volume={work}:/place", "--workdir=/place", "--env=REWARDKIT_CACHE=/place/cache"]
    options = [*flags.split(), f"--user={user}", *mounts, *own]
    ours = ["--rewardkit", "--rewardkit-results=/place/results.jsonl"]
    done = engine.run(options, [*PYTEST, *ours, *arguments], timeout=TIME_LIMIT)
    return Run.read(work, done)


@pytest.mark.parametrize("user", [ROOT, USER], ids=["root", "user"])
@pytest.mark.parametrize("name", PLACES)
def test_everyday_candidates_are_right(engine: Engine, name: str, user: str, work: Path):
    shutil.copy(Path(__file__).with_name("everyday.py"), work / "test_everyday.py")
    place = PLACES[name]
    run = run_pytest(engine, place.flags, user, work)
    assert run.status == 0, run.printed
    assert set(run.outcomes.values()) <= {("passed", 1.0)}
    assert "10 passed" in run.printed
    assert at_least(run.level, place.levels[user == USER])


@pytest.mark.parametrize(
    ("name", "user"),
    [("default", ROOT), ("Kubernetes, restricted", USER), ("any call", USER)],
    ids=lambda value: {ROOT: "root", USER: "user"}.get(value, value),
)
def test_example_suites_pass(engine: Engine, name: str, user: str, work: Path):
    run = run_pytest(engine, PLACES[name].flags, user, work, "-n2", str(REPOSITORY / "example_suites"))
    assert run.status == 0, run.printed
    assert len(run.outcomes) > 70
