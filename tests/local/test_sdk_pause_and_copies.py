"""The SDK's pause, resume, automatic pause, metrics, snapshots and forks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from e2b import NotFoundException, SandboxException, SandboxQuery, SandboxState, TimeoutException
from e2b_code_interpreter import AsyncSandbox, Sandbox
from processes import eventually


def test_pause_keeps_files_processes_and_variables(sandbox: Sandbox, address: dict[str, str]) -> None:
    sandbox.files.write("note", "kept")
    sandbox.run_code("x = 'kept too'")
    command = sandbox.commands.run("sleep 1000", background=True)
    sandbox.pause()
    assert not sandbox.is_running()
    assert sandbox.get_info().state == SandboxState.PAUSED
    paused = Sandbox.list(query=SandboxQuery(state=[SandboxState.PAUSED]), **address).next_items()
    assert sandbox.sandbox_id in [info.sandbox_id for info in paused]
    with pytest.raises((SandboxException, TimeoutException)):
        sandbox.commands.run("true")
    again = sandbox.connect()
    assert again.sandbox_id == sandbox.sandbox_id
    assert sandbox.is_running()
    assert sandbox.get_info().state == SandboxState.RUNNING
    assert sandbox.files.read("note") == "kept"
    assert sandbox.run_code("x").text == "kept too"
    assert command.pid in [process.pid for process in sandbox.commands.list()]


def test_a_paused_sandbox_does_nothing(sandbox: Sandbox) -> None:
    code = "import threading, time\ncount = 0\ndef tick():\n    global count\n    while True:\n        count += 1\n"
    sandbox.run_code(f"{code}        time.sleep(0.01)\nthreading.Thread(target=tick, daemon=True).start()")
    sandbox.pause()
    used = sandbox.get_metrics()
    assert sandbox.get_metrics()[0].cpu_used_pct == 0
    assert used[0].mem_used > 0
    sandbox.connect()
    before = int(sandbox.run_code("count").text or 0)
    assert eventually(lambda: int(sandbox.run_code("count").text or 0) > before)


def test_pause_stops_what_has_left_its_session(sandbox: Sandbox) -> None:
    sandbox.commands.run(
        "setsid -f sh -c 'trap : TERM; (while :; do echo >> count; done) & wait' > /dev/null 2>&1 < /dev/null"
    )
    assert eventually(lambda: sandbox.files.exists("count"))
    sandbox.pause()
    stopped = sandbox.get_metrics()
    assert stopped[0].mem_used > 0
    assert sandbox.get_metrics()[0].cpu_used_pct == 0
    sandbox.connect()
    before = sandbox.files.get_info("count").size
    assert eventually(lambda: sandbox.files.get_info("count").size > before)


def test_pausing_interrupts_what_runs_without_losing_its_state(sandbox: Sandbox) -> None:
    sandbox.run_code("x = 'kept'")
    with pytest.raises(TimeoutException):
        sandbox.run_code("print('go', flush=True)\nwhile True: pass", on_stdout=lambda message: sandbox.pause())
    sandbox.connect()
    assert sandbox.run_code("x").text == "kept"


def test_pause_without_memory_keeps_the_files_alone(sandbox: Sandbox) -> None:
    sandbox.files.write("note", "kept")
    sandbox.run_code("x = 1")
    command = sandbox.commands.run("sleep 1000", background=True)
    assert sandbox.pause(keep_memory=False)
    sandbox.connect()
    assert sandbox.files.read("note") == "kept"
    assert sandbox.run_code("x").error.name == "NameError"
    assert command.pid not in [process.pid for process in sandbox.commands.list()]


def test_pause_without_memory_ends_what_has_left_its_session(sandbox: Sandbox) -> None:
    sandbox.commands.run("setsid -f sleep 4321 > /dev/null 2>&1 < /dev/null")
    assert sandbox.commands.run("pgrep -f '^sleep 4321'").exit_code == 0
    sandbox.pause(keep_memory=False)
    sandbox.connect()
    assert sandbox.commands.run("pgrep -f '^sleep 4321' || echo none").stdout == "none\n"


def test_a_paused_sandbox_can_be_killed(address: dict[str, str]) -> None:
    sandbox = Sandbox.create(**address)
    sandbox.pause()
    assert sandbox.kill() is True
    with pytest.raises(NotFoundException):
        sandbox.connect()


def test_a_sandbox_is_paused_at_its_end(address: dict[str, str]) -> None:
    sandbox = Sandbox.create(timeout=1, lifecycle={"on_timeout": "pause"}, **address)
    try:
        sandbox.run_code("x = 'kept'")
        assert eventually(lambda: sandbox.get_info().state == SandboxState.PAUSED)
        assert not sandbox.is_running()
        sandbox.connect(timeout=60)
        assert sandbox.run_code("x").text == "kept"
        assert sandbox.get_info().lifecycle == {"on_timeout": "pause", "auto_resume": False}
    finally:
        sandbox.kill()


def test_traffic_resumes_a_sandbox_that_asked_for_it(address: dict[str, str]) -> None:
    lifecycle = {"on_timeout": "pause", "auto_resume": True}
    with Sandbox.create(timeout=100, lifecycle=lifecycle, **address) as sandbox:
        sandbox.pause()
        assert sandbox.commands.run("echo awake").stdout == "awake\n"
        assert sandbox.get_info().state == SandboxState.RUNNING


def test_metrics(sandbox: Sandbox) -> None:
    sandbox.get_metrics()
    sandbox.run_code("data = bytearray(100 * 2**20)\nfor n in range(10**6): pass")
    (metrics,) = sandbox.get_metrics()
    assert metrics.cpu_count > 0
    assert metrics.cpu_used_pct > 0
    assert 100 * 2**20 < metrics.mem_used < metrics.mem_total
    assert metrics.disk_total > metrics.disk_used


def test_metrics_of_another_time(sandbox: Sandbox) -> None:
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert len(sandbox.get_metrics(start=now - hour, end=now)) == 1
    assert len(sandbox.get_metrics(start=now - hour)) == 1
    assert sandbox.get_metrics(start=now - 2 * hour, end=now - hour) == []
    assert sandbox.get_metrics(start=now + hour) == []
    assert sandbox.get_metrics(start=now + hour, end=now + 2 * hour) == []


def test_a_snapshot_is_the_files_of_its_time(sandbox: Sandbox, address: dict[str, str]) -> None:
    sandbox.files.write("app/config.json", "{}", metadata={"kind": "config"})
    sandbox.commands.run("ln -s config.json app/link; chmod 600 app/config.json; echo t > /tmp/t; mkdir empty")
    snapshot = sandbox.create_snapshot()
    sandbox.files.write("app/config.json", "changed after")
    try:
        with (
            Sandbox.create(snapshot.snapshot_id, **address) as first,
            Sandbox.create(snapshot.snapshot_id, **address) as second,
        ):
            for copy in (first, second):
                assert copy.files.read("app/link") == "{}"
                assert copy.files.get_info("app/config.json").mode == 0o600
                assert copy.files.get_info("app/config.json").metadata == {"kind": "config"}
                assert copy.files.read("/tmp/t") == "t\n"
                assert copy.files.list("empty") == []
                assert copy.run_code("open('app/config.json').read()").text == "{}"
            first.files.write("app/config.json", "of the first")
            assert second.files.read("app/config.json") == "{}"
    finally:
        assert Sandbox.delete_snapshot(snapshot.snapshot_id, **address) is True
    assert Sandbox.delete_snapshot(snapshot.snapshot_id, **address) is False
    with pytest.raises(SandboxException, match="not found"):
        Sandbox.create(snapshot.snapshot_id, **address)


def test_snapshots_are_listed_by_sandbox_and_name(sandbox: Sandbox, address: dict[str, str]) -> None:
    first, second = sandbox.create_snapshot(), sandbox.create_snapshot(name="tagged")
    try:
        assert second.names == ["tagged"]
        listed = Sandbox.list_snapshots(sandbox_id=sandbox.sandbox_id, **address).next_items()
        assert [snapshot.snapshot_id for snapshot in listed] == [second.snapshot_id, first.snapshot_id]
        named = Sandbox.list_snapshots(name="tagged", **address).next_items()
        assert [snapshot.snapshot_id for snapshot in named] == [second.snapshot_id]
        assert Sandbox.list_snapshots(name="nothing", **address).next_items() == []
        with Sandbox.create("tagged", **address) as copy:
            assert copy.is_running()
    finally:
        for snapshot in (first, second):
            Sandbox.delete_snapshot(snapshot.snapshot_id, **address)


def test_forks_have_copies_of_the_files(address: dict[str, str]) -> None:
    with Sandbox.create(envs={"A": "b"}, metadata={"m": "n"}, **address) as sandbox:
        sandbox.files.write("state", "before")
        forks = sandbox.fork(count=2, timeout=60)
        assert len({fork.sandbox_id for fork in forks} | {sandbox.sandbox_id}) == 3
        for fork in forks:
            with fork:
                assert fork.files.read("state") == "before"
                fork.files.write("state", "in the fork")
                assert fork.commands.run("echo $A").stdout == "b\n"
                assert fork.get_info().metadata == {"m": "n"}
        assert sandbox.files.read("state") == "before"
    with pytest.raises(NotFoundException):
        sandbox.fork()


def test_a_candidate_cannot_change_a_snapshot_afterwards(sandbox: Sandbox, address: dict[str, str]) -> None:
    sandbox.run_code(
        "import glob, os, threading\n"
        "kept = []\n"
        "def steal():\n"
        "    while not kept:\n"
        "        for path in glob.glob('/proc/[0-9]*/fd/1'):\n"
        "            try:\n"
        "                if 'snapshot' in os.readlink(path): kept.append(os.open(path, os.O_RDWR))\n"
        "            except OSError: pass\n"
        "threading.Thread(target=steal, daemon=True).start()"
    )
    sandbox.commands.run("head -c 50000000 /dev/urandom > large; echo right > note")
    snapshot = sandbox.create_snapshot()
    sandbox.run_code("for fd in kept:\n    os.pwrite(fd, b'x' * 1000, 0)")
    with Sandbox.create(snapshot.snapshot_id, **address) as copy:
        assert copy.files.read("note") == "right\n"
    Sandbox.delete_snapshot(snapshot.snapshot_id, **address)


@pytest.mark.asyncio
async def test_the_asynchronous_sdk(async_sandbox: AsyncSandbox, address: dict[str, str]) -> None:
    await async_sandbox.files.write("note", "kept")
    await async_sandbox.pause()
    assert not await async_sandbox.is_running()
    await async_sandbox.connect()
    assert await async_sandbox.is_running()
    assert (await async_sandbox.get_metrics())[0].mem_total > 0
    snapshot = await async_sandbox.create_snapshot()
    copy = await AsyncSandbox.create(snapshot.snapshot_id, **address)
    assert await copy.files.read("note") == "kept"
    await copy.kill()
    assert await AsyncSandbox.delete_snapshot(snapshot.snapshot_id, **address)
    (fork,) = await async_sandbox.fork()
    assert await fork.files.read("note") == "kept"
    await fork.kill()
