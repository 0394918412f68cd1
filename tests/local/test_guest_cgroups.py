"""Control groups of sandboxes, if this machine lets the fork server make some, and their cleanup."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from guest_driver import LEAVES_A_DAEMON, ForkServer
from processes import all_end, descendants, watch

from pytest_rewardkit.local.guest import cgroup_homes, cgroups
from pytest_rewardkit.local.limits import Limits


def groups_of(pid: int) -> set[Path]:
    """The directories of a process's groups that belong to a sandbox."""
    paths = [line.split(":", 2)[2] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    tops = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()]
    places = [top / path[1:] for top in tops for path in paths if "rewardkit-" in path]
    return {place for place in places if place.is_dir()}


@pytest.fixture
def fork_server():
    with ForkServer() as server:
        if server.greeting["layers"]["memory in all"] == "watchdog":
            pytest.skip("needs control groups that this user may make: root's, or delegated ones of version 2")
        yield server


def test_every_process_of_a_sandbox_is_in_its_group(fork_server):
    with fork_server.spawn(memory_mb=200, disk_mb=40) as box, fork_server.spawn() as other:
        box.kernel()
        groups = groups_of(box.pid)
        children = Path(f"/proc/{box.pid}/task/{box.pid}/children").read_text().split()
        assert groups
        assert children
        assert all(groups_of(int(child)) == groups for child in children)
        assert not groups & groups_of(other.pid)
        limits = [group / name for group in groups for name in ("memory.max", "memory.limit_in_bytes")]
        held = {int(limit.read_text()) for limit in limits if limit.exists()}
        assert held == {(200 + 40 + cgroups.OVERHEAD_MB) * 2**20}


def test_nothing_is_left_when_sandboxes_and_fork_server_end(fork_server):
    with fork_server.spawn() as box:
        box.kernel()
        (group, *_) = groups_of(box.pid)
    assert group.parent.exists()
    assert not group.exists()
    boxes = [fork_server.spawn() for _ in range(30)]  # do not wait for them until they are in their groups
    fork_server.close()
    for box in boxes:
        box.close()
    assert not group.parent.exists()


def test_candidates_that_outlive_a_killed_fork_server_end_with_the_next():
    with ForkServer("--isolation", "landlock") as server:
        if server.greeting["event"] == "failed" or server.greeting["layers"]["memory in all"] == "watchdog":
            pytest.skip("needs Landlock, and control groups that this user may make")
        box = server.spawn()
        box.kernel().run(LEAVES_A_DAEMON)
        left = watch(descendants(server.process.pid))
        server.process.kill()
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()
        box.close()
        with ForkServer():
            assert all_end(left)


FILES_OF_MEMORY = (("memory.current", "memory.max"), ("memory.usage_in_bytes", "memory.limit_in_bytes"))


def test_a_guest_that_ends_for_its_sandboxs_memory_says_so(fork_server):
    box = fork_server.spawn()
    box.run("true")
    group, used, limit = next(
        (group, *names) for group in groups_of(box.pid) for names in FILES_OF_MEMORY if (group / names[0]).exists()
    )
    (group / limit).write_text(str(int((group / used).read_text()) + 2**17))
    with pytest.raises((EOFError, ConnectionError)):
        box.request("stat", path="x" * 900_000)
    assert fork_server.event("exit", pid=box.pid)["reason"] == "own_memory"
    box.close()


def test_what_a_killed_fork_server_leaves_is_removed_by_the_next(fork_server):
    box = fork_server.spawn()
    box.kernel()
    (group, *_) = groups_of(box.pid)
    fork_server.process.kill()
    fork_server.process.wait()
    box.close()
    with ForkServer() as another:
        assert not group.parent.exists()
        assert another.greeting["layers"]["memory in all"] == fork_server.greeting["layers"]["memory in all"]


def test_what_a_living_fork_server_has_stays(fork_server):
    with fork_server.spawn() as box, ForkServer():
        box.kernel()
        (group, *_) = groups_of(box.pid)
        assert group.exists()
        assert box.kernel().run("1 + 1").text == "2"


def test_a_group_that_was_at_its_own_limit_says_so(fork_server):
    """Each version of control groups counts this differently, and so does each kernel."""
    groups = cgroups.open_groups(count_processes=True)
    group = groups.make("sandbox", Limits(memory_mb=40), disk_in_memory=False)
    try:
        program = "import sys; sys.stdin.read(); held = bytearray(b'1') * (600 << 20)"
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:
            for directory in group._directories:
                cgroup_homes.write(directory, "cgroup.procs", str(process.pid))
            process.communicate(b"")
        assert process.returncode == -signal.SIGKILL
        assert not group.suffers()
        assert group.kills.risen()
    finally:
        groups.remove(group)
        groups.close()


def test_no_groups_where_none_can_be_made(monkeypatch, tmp_path):
    """As in a container whose hierarchies are read-only or missing."""
    monkeypatch.setattr(cgroup_homes, "_mounted", lambda: iter(()))
    assert cgroups.open_groups(count_processes=True) is None
    (tmp_path / "own").mkdir()
    mounted = [
        cgroup_homes.Mounted("cgroup2", frozenset(("",)), str(tmp_path / "own"), str(tmp_path)),
        cgroup_homes.Mounted("cgroup", frozenset(("memory", "pids")), str(tmp_path / "own"), str(tmp_path)),
    ]
    monkeypatch.setattr(cgroup_homes, "_mounted", lambda: iter(mounted))
    assert cgroups.open_groups(count_processes=True) is None
    assert list(tmp_path.rglob("*")) == [tmp_path / "own"]


def test_a_hierarchy_that_is_mounted_twice_is_taken_once(monkeypatch):
    """The second mount is like that in another root under construction."""
    mounted = [
        cgroup_homes.Mounted("cgroup", frozenset((name,)), f"{top}/{name}/own", f"{top}/{name}")
        for top in ("/cgroups", "/other/cgroups")
        for name in ("cpu", "memory", "pids")
    ]
    monkeypatch.setattr(cgroup_homes, "_mounted", lambda: iter(mounted))
    memory, pids = ("/cgroups/memory/own", frozenset(("memory",))), ("/cgroups/pids/own", frozenset(("pids",)))
    assert list(cgroup_homes.places(count_processes=True)) == [("cgroup v1", [memory, pids])]
    assert list(cgroup_homes.places(count_processes=False)) == [("cgroup v1", [memory])]
