"""Pauses everything that runs in a sandbox, at every isolation level that this machine offers."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from found import found
from guest_driver import ForkServer, processes_below
from processes import eventually

from pytest_rewardkit.local.guest import levels
from pytest_rewardkit.local.guest.plan import Level

FINDINGS = found()
LEVELS = [level for level in Level if not levels.obstacle(FINDINGS, level)]

# A typical daemon: in its own session, with a parent that has exited, and a child that ignores signals.
COUNTER = """
: > ~/count
setsid -f sh -c 'trap "" HUP TERM INT; (while :; do echo >> ~/count; done) & echo $$ > ~/pid; wait' < /dev/null
""".strip()


def states(pid: int) -> set[str]:
    return {Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0] for each in processes_below(pid)}


@pytest.mark.parametrize("level", LEVELS)
def test_a_daemon_does_not_advance_while_paused(level):
    with ForkServer(f"--isolation={level}") as server, server.spawn() as box:
        box.run(f"({COUNTER}) > /dev/null 2>&1")
        assert eventually(lambda: bool(processes_below(box.pid)) and len(box.read("count")) > 0)
        kernel = box.kernel()
        server.request("pause", pid=box.pid)
        assert eventually(lambda: states(box.pid) == {"T"})
        before = box.read("count")
        kernel.start("import time; time.sleep(0.05)")
        assert states(box.pid) == {"T"}
        assert box.read("count") == before
        server.request("resume", pid=box.pid)
        assert kernel.finish().error is None
        assert eventually(lambda: len(box.read("count")) > len(before))


@pytest.mark.parametrize("level", LEVELS)
def test_a_daemon_ends_when_paused_without_memory(level):
    with ForkServer(f"--isolation={level}") as server, server.spawn() as box:
        box.run(f"({COUNTER}) > /dev/null 2>&1")
        kernel = box.kernel()
        server.request("pause", pid=box.pid, memory=False)
        assert box.event("exit", pid=kernel.pid)["status"] == -signal.SIGKILL
        assert eventually(lambda: not processes_below(box.pid))
        server.request("resume", pid=box.pid)
        assert box.kernel().run("1 + 1").text == "2"
