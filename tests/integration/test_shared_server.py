"""A run's local server: one for all its workers, none if no test needs it, gone however pytest ends."""

import fcntl
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from local.processes import all_end, descendants, watch

# Notes which processes of the local server the run has, at its end but before cleanup.
COUNT_SERVERS = """
import os
from pathlib import Path
from local.processes import descendants

def is_server(pid):
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False  # it has just ended
    return {b"pytest_rewardkit.local", b"serve"} <= set(command.split(b"\\0"))

def servers():
    return sum(map(is_server, descendants(os.getpid())))

BEFORE = servers()  # those of other tests in the same process

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        session.config.rootpath.joinpath("servers").write_text(str(servers() - BEFORE))
"""

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("body", "servers"), [("sandbox", 1), ("reward", 0)], ids=["used by six tests", "not used by any"]
)
def test_one_server_for_all_workers_and_none_where_nobody_asks(run, pytester, monkeypatch, body, servers):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    pytester.makeconftest(COUNT_SERVERS)
    pytester.makepyfile(
        f"""
        import os, pytest

        @pytest.mark.parametrize("number", range(6))
        def test_one({body}, number):
            url = os.environ["E2B_API_URL"]
            with open("urls", "a") as file:
                file.write(url + "\\n")
        """
    )
    before = descendants(os.getpid())
    result = run()
    result.assert_outcomes(passed=6)
    assert (pytester.path / "servers").read_text() == str(servers)
    assert len(set((pytester.path / "urls").read_text().split())) == 1
    assert descendants(os.getpid()) <= before


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_nothing_is_left_when_pytest_is_killed(pytester, monkeypatch, workers):
    temporary = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    os.mkfifo("ready")
    ready = os.open("ready", os.O_RDONLY | os.O_NONBLOCK)
    held = os.open("held", os.O_CREAT | os.O_WRONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    pytester.makepyfile(
        """
        import fcntl

        def test_hangs(sandbox):
            sandbox.commands.run("sleep 1000", background=True)
            with open("ready", "w") as ready:
                ready.write("ready")
            with open("held") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
        """
    )
    args = (sys.executable, "-m", "pytest", "--rewardkit", f"--basetemp={pytester.path / 'base'}", *workers)
    process = subprocess.Popen(args, stdout=subprocess.DEVNULL)
    (exited,) = watch([process.pid])
    select.select([ready, exited], [], [])
    assert process.poll() is None
    left = watch(descendants(process.pid))
    assert len(left) >= 3
    process.kill()
    process.wait()
    # A worker that outlives the controller may leave its test, so that it can notice that it is alone.
    os.close(held)
    assert all_end([exited, *left])
    os.close(ready)
    assert list(temporary.iterdir()) == []


def test_the_server_starts_when_tests_have_been_collected_that_want_sandboxes(run, pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    pytester.makeconftest(COUNT_SERVERS)
    pytester.makepyfile(
        """
        import os
        from conftest import BEFORE, is_server
        from local.processes import descendants, eventually

        def test_before_any_sandbox():
            run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            assert eventually(lambda: sum(map(is_server, descendants(run))) > (0 if run != os.getpid() else BEFORE))

        def test_of_a_sandbox(sandbox):
            pass
        """
    )
    run("-k", "test_before_any_sandbox or test_of_a_sandbox").assert_outcomes(passed=2)
