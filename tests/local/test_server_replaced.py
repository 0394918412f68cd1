"""A server that dies or stops answering is replaced; one that cannot work is abandoned, with the reason."""

from __future__ import annotations

import os
import queue
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import Sandbox
from processes import all_end, descendants, eventually, watch
from servers import sdk_address

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.local.vigil import PATIENCE, Patience
from pytest_rewardkit.sandboxes import again, local
from pytest_rewardkit.sandboxes.local import LocalProvider

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = ServerSettings(warm_sandboxes=0)
WATCHFUL = Patience(answer=1.5, interval=0.1)


def process_of(server: LocalServer) -> int:
    assert server._process is not None
    return server._process.pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_dead_server_is_replaced_at_the_same_address(number: signal.Signals) -> None:
    deaths: queue.Queue[str] = queue.Queue()
    with LocalServer.listen(SETTINGS, on_death=deaths.put) as server:
        address = sdk_address(server)
        lost = Sandbox.create(**address)
        first = process_of(server)
        left = watch({first, *descendants(first)})
        os.kill(first, number)
        told = deaths.get(timeout=15)
        assert told.startswith("the local server was ended by SIG" if number != signal.SIGTERM else "the local server ")
        assert "another one takes its place" in told
        assert all_end(left)
        with Sandbox.create(**address) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"
        assert process_of(server) != first
        assert not lost.is_running()
        assert told.removeprefix("the local server ").splitlines()[0] in server.log()


def test_a_stopped_server_is_replaced() -> None:
    deaths: queue.Queue[str] = queue.Queue()
    with LocalServer.listen(SETTINGS, on_death=deaths.put, patience=WATCHFUL) as server:
        address = sdk_address(server)
        Sandbox.create(**address).kill()
        os.kill(process_of(server), signal.SIGSTOP)
        assert deaths.get(timeout=30).startswith("the local server did not answer within 1.5 s, and was killed")
        with Sandbox.create(**address) as sandbox:
            assert sandbox.run_code("1 + 1").text == "2"


def test_a_stopped_server_does_not_keep_its_owner() -> None:
    server = LocalServer.listen(SETTINGS, patience=Patience(end=0.5))
    Sandbox.create(**sdk_address(server)).kill()
    pid = process_of(server)
    left = watch({pid, *descendants(pid)})
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert all_end(left)


FAKES = {
    "dies at once": ("raise SystemExit('no such thing here')", "ended with exit status 1"),
    "never accepts": ("import signal; signal.pause()", "did not answer within 1 s, and was killed"),
    "never answers": (
        "import socket, sys; control, traffic = sys.argv[3].split(','); s = socket.socket(fileno=int(control))\n"
        "s.setblocking(True)\nkept = []\nwhile True: kept.append(s.accept())",
        "did not answer within 1 s, and was killed",
    ),
    "hangs up": (
        "import socket, sys; control, traffic = sys.argv[3].split(','); s = socket.socket(fileno=int(control))\n"
        "s.setblocking(True)\nfor _ in range(3): s.accept()[0].close()",
        "ended with exit status 0",
    ),
}


@pytest.mark.parametrize("kind", FAKES)
def test_a_server_that_cannot_work_is_given_up(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "CREATE_SECONDS", 4.0)
    monkeypatch.setattr(again, "PATIENCE", 0.0)  # a permanent fault is not tried again
    script, became = FAKES[kind]
    program = tmp_path / "server.py"
    program.write_text(script)
    deaths: queue.Queue[str] = queue.Queue()
    patience = Patience(boot=1.0, interval=0.1, end=5.0)
    with LocalServer.listen(
        SETTINGS, on_death=deaths.put, patience=patience, command=(sys.executable, str(program))
    ) as server:
        provider = LocalProvider(server=server, isolation="auto")
        for _ in range(PATIENCE.failures + 1):  # at most one for each try
            if deaths.qsize() < PATIENCE.failures:
                with pytest.raises(SandboxUnavailable, match="the local server"):
                    provider.create()
        told = [deaths.get(timeout=15) for _ in range(PATIENCE.failures)]
        assert all(became in text for text in told)
        assert [("no other one is started" in text) for text in told] == [False, False, True]
        with pytest.raises(SandboxUnavailable, match="no other one is started"):
            provider.create()
    if kind == "dies at once":
        assert "no such thing here" in told[-1]


def test_a_create_that_is_not_answered_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "CREATE_SECONDS", 1.0)
    monkeypatch.setattr(again, "PATIENCE", 0.0)
    monkeypatch.setattr("pytest_rewardkit.sandboxes.server_log.ANSWER_SECONDS", 0.5)
    with LocalServer.listen(SETTINGS, patience=Patience(end=0.5)) as server:
        provider = LocalProvider(server=server, isolation="auto")
        Sandbox.create(**sdk_address(server)).kill()
        os.kill(process_of(server), signal.SIGSTOP)
        with pytest.raises(SandboxUnavailable, match=r"(?s)no sandbox.*the local server does not answer"):
            provider.create()


def test_other_requests_keep_the_usual_limit(server: LocalServer) -> None:
    provider = LocalProvider(server=server, isolation="auto")
    with provider.create() as usual, provider.create(request_timeout=7.0) as own:
        assert usual.connection_config.request_timeout == 60.0
        assert own.connection_config.request_timeout == 7.0


def test_a_server_that_has_died_is_told_of_before_the_next_answers() -> None:
    with LocalServer.listen(SETTINGS) as server:
        provider = LocalProvider(server=server, isolation="auto")
        provider.create().kill()
        size = provider.log_size()
        assert provider.news(size) == ""
        os.kill(process_of(server), signal.SIGKILL)
        assert provider.news(size) == "the local server was ended by SIGKILL; another one takes its place"
        assert provider.news(provider.log_size()) == ""
        assert eventually(lambda: server.started)


def test_a_create_that_meets_the_servers_death_is_answered_by_the_next() -> None:
    with LocalServer.listen(SETTINGS) as server:
        provider = LocalProvider(server=server, isolation="auto")
        for _ in range(5):
            with provider.create() as sandbox:  # over the connection that the SDK has kept
                assert sandbox.run_code("1 + 1").text == "2"
            os.kill(process_of(server), signal.SIGKILL)
