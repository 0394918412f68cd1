"""If the machine runs out of memory, nobody is to blame for what that ends; a sandbox's own limit is its own fault."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.local.guest.kill_count import KillCount

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/sys/fs/cgroup/memory")

# Runs in a group of 320 MiB, with its own server: a hog whose own limit would allow more, and others beside it.
PROGRAM = """
import sys, threading
from pytest_rewardkit import score_cases, score_output
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.sandboxes.choice import resolve

HOG = "held = []\\nfor _ in range({amount}):\\n    held.append(b'1' * 10_000_000)\\nprint(len(held))"
CHILDREN = "import subprocess, sys\\nprint(subprocess.run([sys.executable, '-c', {hog!r}]).returncode)"
QUIET = "import time\\ntime.sleep(3)\\nprint(1)"

def judged(name, code, limit_mb, transcript=False):
    sandbox = provider.create(memory_mb=limit_mb)
    reward = score_output(sandbox, code, expected="1", time_limit=60, transcript=transcript)
    rewards[name] = (reward.value, reward.verdict.value)
    sandbox.kill()

rewards = {}
with LocalServer.listen(ServerSettings(warm_sandboxes=1, preload="none")) as server:
    provider = resolve("local", environ={}, server=server, run_id="tests", isolation="auto")
    hog = HOG.format(amount=60)
    for code, transcript in ((hog, False), (hog, True), (CHILDREN.format(hog=hog), False)):
        work = {
            "quiet": (QUIET, 1024),
            "quiet cell": (QUIET, 1024, True),
            "hog": (code, 1024, transcript),
        }
        threads = [threading.Thread(target=judged, args=(name, *args)) for name, args in work.items()]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(sorted(rewards.items()), flush=True)
    judged("over its own limit", HOG.format(amount=15), 100)
    judged("over its own limit, cell", HOG.format(amount=15), 100, True)
    print(rewards["over its own limit"], rewards["over its own limit, cell"])
"""


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group with little memory."""
    lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    own = next((line.split(":", 2)[2] for line in lines if ":memory:" in line), None)
    group = MEMORY / (own or "").lstrip("/") / f"tests-{secrets.token_hex(4)}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(320 * 2**20))
    except OSError:
        pytest.skip("needs control groups of version 1 that this user may make")
    yield group
    group.rmdir()


def test_who_is_ended_for_what_others_take_is_unscored(small_group: Path) -> None:
    enter = f"import os; open({str(small_group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
    done = subprocess.run(
        [sys.executable, "-c", enter + PROGRAM], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    *rounds, own = done.stdout.splitlines()
    assert len(rounds) == 3
    for judged in rounds:
        assert "('hog', (None, 'unscored'))" in judged, done.stdout
        for name in ("quiet", "quiet cell"):
            assert f"('{name}', (1.0, 'passed'))" in judged or f"('{name}', (None, 'unscored'))" in judged, done.stdout
    assert own == "(0.0, 'memory') (0.0, 'memory')"


@pytest.fixture
def counts(tmp_path: Path) -> Iterator[tuple[Path, KillCount]]:
    path = tmp_path / "memory.events"
    path.write_text("low 0\noom 0\noom_kill 0\n")
    descriptor = os.open(path, os.O_RDONLY)
    yield path, KillCount(descriptor, [descriptor])
    os.close(descriptor)


def test_events_of_version_2_tell_whose_limit_it_was(counts: tuple[Path, KillCount]) -> None:
    path, kills = counts
    path.write_text("low 0\noom 0\noom_kill 2\n")
    assert (kills.risen(), kills.risen_for_others()) == (False, True)
    path.write_text("low 0\noom 1\noom_kill 3\n")
    assert not kills.risen_for_others()
    assert kills.risen()
    assert not kills.risen()
    # A sandbox that reached its own limit may be ended for it once more, whenever that is counted.
    path.write_text("low 0\noom 1\noom_kill 4\n")
    assert (kills.risen_for_others(), kills.risen()) == (False, True)
