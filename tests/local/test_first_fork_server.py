"""A fork server that exists before its server: reports the isolation, makes the first sandboxes, is never left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from e2b_code_interpreter import Sandbox
from processes import all_end, descendants, watch
from servers import sdk_address

from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def fork_server(before: set[int]) -> int:
    """The only process started since."""
    (pid,) = set(children(os.getpid())) - before
    return pid


def test_the_server_uses_the_fork_server_that_told_the_isolation() -> None:
    before = set(children(os.getpid()))
    with LocalServer.listen() as server:
        level = server.find_isolation().level
        pid = fork_server(before)
        assert not server.started
        with Sandbox.create(**sdk_address(server)) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"
            assert server._process is not None
            assert children(server._process.pid) == []
            assert descendants(pid)
        assert server.find_isolation().level == level
        assert not server.log()
    assert set(children(os.getpid())) == before


def test_a_fork_server_that_still_boots_is_used_too() -> None:
    with LocalServer.listen() as server:
        server.boot()
        with Sandbox.create(**sdk_address(server)) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"
            assert server._process is not None
            assert children(server._process.pid) == []


def test_one_that_died_while_nobody_used_it_is_replaced() -> None:
    before = set(children(os.getpid()))
    with LocalServer.listen() as server:
        server.find_isolation()
        os.kill(fork_server(before), signal.SIGKILL)
        with Sandbox.create(**sdk_address(server)) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"


def test_one_that_dies_with_sandboxes_is_replaced() -> None:
    before = set(children(os.getpid()))
    with LocalServer.listen(ServerSettings(warm_sandboxes=0)) as server:
        pid = (server.boot(), fork_server(before))[1]
        Sandbox.create(**sdk_address(server))
        dead = watch(descendants(pid))
        os.kill(pid, signal.SIGKILL)
        assert all_end(dead)
        with Sandbox.create(**sdk_address(server)) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"


def test_it_ends_with_a_server_that_is_killed_and_the_next_one_has_another() -> None:
    before = set(children(os.getpid()))
    with LocalServer.listen() as server:
        server.boot()
        pid = fork_server(before)
        Sandbox.create(**sdk_address(server))
        assert server._process is not None
        left = watch({pid, *descendants(pid)})
        server._process.kill()
        assert all_end(left)
        with Sandbox.create(**sdk_address(server)) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"
    assert set(children(os.getpid())) == before


def test_nothing_is_left_where_no_server_has_started() -> None:
    before = descendants(os.getpid())
    with LocalServer.listen() as server:
        server.find_isolation()
        held = os.dup(server._first._booting.sock.fileno())  # type: ignore[union-attr]
    os.close(held)
    assert descendants(os.getpid()) <= before


def test_it_ends_with_its_owner() -> None:
    script = """
import sys
from pytest_rewardkit.local.handle import LocalServer
server = LocalServer.listen()
server.find_isolation()
print("there", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"there\n"
        left = watch(descendants(owner.pid))
        assert left
        owner.kill()
        assert all_end(left)
