"""The server starts on demand and leaves nothing behind, however it or its owner ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from e2b import SandboxException
from e2b_code_interpreter import Sandbox
from processes import all_end, descendants, eventually, open_files, watch
from servers import sdk_address

from pytest_rewardkit.local.errors import UnsupportedPlatformError
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


def server_pid(server: LocalServer) -> int:
    assert server._process is not None
    return server._process.pid


def fork_servers(server: LocalServer) -> list[int]:
    """The server's children."""
    pid = server_pid(server)
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own for everything that the server may write."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@pytest.fixture
def own_server(temporary: Path) -> Iterator[LocalServer]:
    """A server for one test only, which keeps no sandboxes ready."""
    with LocalServer.listen(ServerSettings(warm_sandboxes=0)) as server:
        yield server


def test_an_unused_server_is_never_started() -> None:
    with LocalServer.listen() as server:
        before = descendants(os.getpid())
        assert server.environment()["E2B_API_URL"].startswith("http://127.0.0.1:")
        assert not server.started
    assert not server.started
    assert descendants(os.getpid()) <= before


def test_the_first_connection_starts_it_and_stop_leaves_nothing(temporary: Path) -> None:
    server = LocalServer.listen()
    sandbox = Sandbox.create(**sdk_address(server))
    sandbox.commands.run("setsid sleep 1000 & sleep 1000", background=True)
    assert server.started
    pid = server_pid(server)
    left = watch({pid, *descendants(pid)})
    assert len(left) >= 4
    server.stop()
    assert all_end(left)
    assert list(temporary.iterdir()) == []
    with pytest.raises(Exception, match=r"(?i)connect"):
        Sandbox.create(**sdk_address(server))
    server.stop()


def test_nothing_is_left_when_the_owner_is_killed() -> None:
    script = """
import os, sys
from e2b_code_interpreter import Sandbox
from pytest_rewardkit.local.handle import LocalServer
server = LocalServer.listen()
os.environ.update(server.environment())
Sandbox.create().commands.run("sleep 1000", background=True)
if os.fork() == 0:  # it holds the server's pipe open, and outlives its parent
    sys.stdin.read()
    os._exit(0)
print(server._process.pid, flush=True)
sys.stdin.read()
"""
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdin is not None
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    left = watch({pid, *descendants(pid)})
    owner.kill()
    owner.wait()
    assert len(left) >= 3
    assert all_end(left)
    owner.stdin.close()
    owner.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_the_server_is_signalled(own_server: LocalServer, number: signal.Signals) -> None:
    Sandbox.create(**sdk_address(own_server)).commands.run("sleep 1000", background=True)
    pid = server_pid(own_server)
    left = watch({pid, *descendants(pid)})
    os.kill(pid, number)
    assert all_end(left)


def test_a_request_that_never_ends_does_not_keep_the_server(own_server: LocalServer) -> None:
    Sandbox.create(**sdk_address(own_server)).kill()
    pid = server_pid(own_server)
    variables = own_server.environment()
    url = urlsplit(variables["E2B_API_URL"])
    half = (
        f"POST /sandboxes HTTP/1.1\r\nHost: {url.netloc}\r\nX-API-Key: {variables['E2B_API_KEY']}\r\n"
        "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n{"
    )
    with socket.create_connection((url.hostname or "", url.port or 0)) as client:
        client.sendall(half.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        left = watch([pid])
        os.kill(pid, signal.SIGTERM)
        assert all_end(left)


def test_a_hundred_sandboxes_leave_nothing(own_server: LocalServer, temporary: Path) -> None:
    address = sdk_address(own_server)
    Sandbox.create(**address).kill()
    pid = server_pid(own_server)
    (fork_server,) = fork_servers(own_server)
    assert eventually(lambda: descendants(pid) == {fork_server})
    before = (open_files(pid), open_files(fork_server), set(temporary.rglob("*")))
    for _ in range(100):
        sandbox = Sandbox.create(**address)
        assert sandbox.run_code("1 + 1").text == "2"
        sandbox.kill()
    assert eventually(lambda: descendants(pid) == {fork_server})
    after = (open_files(pid), open_files(fork_server), set(temporary.rglob("*")))
    assert after[0] <= before[0] + 3  # connections that the SDK keeps
    assert after[1] <= before[1]
    assert after[2] <= before[2]
    assert not own_server.log()


def test_a_dead_fork_server_is_replaced(own_server: LocalServer) -> None:
    address = sdk_address(own_server)
    sandbox = Sandbox.create(**address)
    (fork_server,) = fork_servers(own_server)
    dead = watch([fork_server])
    os.kill(fork_server, signal.SIGKILL)
    assert all_end(dead)
    assert eventually(lambda: not sandbox.is_running())
    with Sandbox.create(**address) as fresh:
        assert fresh.run_code("1 + 1").text == "2"


def test_a_module_that_candidates_import_is_in_the_sandboxes_to_come(own_server: LocalServer) -> None:
    address = sdk_address(own_server)

    def preloaded() -> bool:
        with Sandbox.create(**address) as fresh:
            return fresh.run_code("import sys; 'numpy' in sys.modules").text == "True"

    with Sandbox.create(**address) as first:
        assert not preloaded()
        assert first.run_code("import numpy; int(numpy.arange(4).sum())").text == "6"
        assert eventually(preloaded)
        assert first.run_code("1 + 1").text == "2"  # the fork server that made it lives as long as it does
    assert eventually(lambda: len(fork_servers(own_server)) == 1)
    with Sandbox.create(**address) as last:
        assert last.run_code("import numpy; int(numpy.arange(4).sum())").text == "6"


def test_any_installed_module_that_candidates_import_is_ready_in_those_to_come(own_server: LocalServer) -> None:
    address = sdk_address(own_server)

    def ready() -> bool:
        with Sandbox.create(**address) as fresh:
            return fresh.run_code("get_ipython().shelf.get('pytest') is not None").text == "True"

    with Sandbox.create(**address) as first:
        # Elsewhere a fork server sees more than the installed packages, and imports only the three known ones.
        own_root = first.run_code("import os.path; os.path.ismount('/home/user')").text == "True"
        assert not ready()
        assert not first.run_code("import pytest").error
        assert eventually(ready) if own_root else not ready()


def test_modules_can_be_there_from_the_start() -> None:
    with (
        LocalServer.listen(ServerSettings(preload="numpy")) as server,
        Sandbox.create(**sdk_address(server)) as sandbox,
    ):
        assert sandbox.run_code("import sys; 'numpy' in sys.modules").text == "True"


def test_the_limit_of_sandboxes(tmp_path: Path) -> None:
    with LocalServer.listen(ServerSettings(max_sandboxes=2, warm_sandboxes=0)) as server:
        address = sdk_address(server)
        made = [Sandbox.create(**address) for _ in range(2)]
        with pytest.raises(SandboxException, match="2 sandboxes are alive, which is the limit"):
            Sandbox.create(**address)
        made[0].kill()
        Sandbox.create(**address)


def test_the_key_is_on_no_command_line(server: LocalServer, sandbox: Sandbox) -> None:
    key = server.environment()["E2B_API_KEY"].encode()
    pid = server_pid(server)
    for process in {pid, *descendants(pid)}:
        assert key not in Path(f"/proc/{process}/cmdline").read_bytes()
        if process != pid:
            assert key not in Path(f"/proc/{process}/environ").read_bytes()


def test_another_platform_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UnsupportedPlatformError, match=r"this is darwin; set E2B_API_KEY"):
        LocalServer.listen()


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="memory_mb must be a whole number of at least 16, not 0"):
        ServerSettings(memory_mb=0)
    with pytest.raises(ValueError, match=r"isolation must be one of auto, strict, .*, not 'loose'"):
        ServerSettings(isolation="loose")
    with pytest.raises(ValueError, match="preload must be auto, none, or names of numpy, pandas, matplotlib, not 'os'"):
        ServerSettings(preload="numpy,os")
