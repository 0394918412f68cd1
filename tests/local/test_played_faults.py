"""The local server plays a failing cloud for the real SDK: each fault appears as what it is, and alone."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from e2b import AuthenticationException, RateLimitException, SandboxException
from e2b.exceptions import SandboxNotFoundException, ServiceBusyException
from e2b_code_interpreter import AsyncSandbox, Sandbox
from servers import sdk_address, silent_server

from pytest_rewardkit.local.faults.rules import Rule, parse
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.sandboxes.failures import says_nothing
from pytest_rewardkit.sandboxes.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_rewardkit.local.handle import LocalServer

    Address = dict[str, Any]


@contextmanager
def bad_cloud(faults: str, **settings: Any) -> Iterator[tuple[LocalServer, Address]]:
    with silent_server(ServerSettings(faults=faults, warm_sandboxes=1, **settings)) as server:
        yield server, {**sdk_address(server), "retries": 0}


def report(server: LocalServer) -> dict[str, Any]:
    address = urlsplit(server.environment()["E2B_API_URL"])
    connection = HTTPConnection(address.hostname or "", address.port)
    connection.request("GET", "/faults")
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_rules_are_read() -> None:
    assert parse("none") == ()
    assert parse("execute:reset:0.05, create:429/2") == (
        Rule("execute", "reset", None, 0.05),
        Rule("create", "429", 2.0, 1.0),
    )
    assert parse("hobby,create:delay") == (
        Rule("create", "at-once", 20.0, 1.0),
        Rule("create", "rate", 1.0, 1.0),
        Rule("create", "delay", 0.1, 1.0),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("creat:429", "must begin with a call"),
        ("create", "must have a status"),
        ("create:200", "must have a status"),
        ("create:burn", "must have a status"),
        ("create:429:2", "the share must be a number over 0 and up to 1"),
        ("create:429:0", "'0' must be a number over 0"),
        ("create:429/soon", "'soon' must be a number over 0"),
        ("create:hang/3", "hang takes no number"),
        ("create:rate", "must say how many, as in create:rate/20"),
        ("execute:rate/1", "rate can be for create alone"),
    ],
)
def test_wrong_rules_are_refused_with_the_part_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ServerSettings(faults=f"hobby,{text}")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("401", AuthenticationException),
        ("404", SandboxException),
        ("429", RateLimitException),
        ("500", SandboxException),
        ("502", SandboxException),
        ("503", ServiceBusyException),
        ("504", SandboxException),
        ("reset", Exception),
        ("lost", Exception),
        ("half", Exception),
    ],
)
def test_a_creation_that_fails(fault: str, kind: type[Exception]) -> None:
    with bad_cloud(f"create:{fault}") as (server, address):
        with pytest.raises(kind) as raised:
            Sandbox.create(**address)
        assert says_nothing(raised.value)
        # A request whose answer is lost has been carried out; a refused one has not.
        assert report(server)["alive"] == (fault in ("lost", "half"))


@pytest.mark.parametrize("fault", ["500", "502", "429", "reset", "lost", "half"])
def test_an_execution_that_fails(fault: str) -> None:
    with bad_cloud(f"execute:{fault}") as (server, address), Sandbox.create(**address) as sandbox:
        with pytest.raises(Exception) as raised:
            sandbox.run_code("print(1)")
        assert says_nothing(raised.value)
        assert sandbox.commands.run("echo fine").stdout == "fine\n"
        assert sum(report(server)["faults"].values()) == report(server)["calls"]["execute"] == 1


@pytest.mark.parametrize(("call", "fault"), [("read", "half"), ("read", "503"), ("commands", "lost"), ("write", "429")])
def test_other_calls_that_fail(call: str, fault: str) -> None:
    doing = {
        "read": lambda sandbox: sandbox.files.read("a.txt"),
        "write": lambda sandbox: sandbox.files.write("b.txt", "text"),
        "commands": lambda sandbox: sandbox.commands.run("echo 1"),
    }
    with bad_cloud(f"{call}:{fault}") as (_, address), Sandbox.create(**address) as sandbox:
        if call == "read":
            sandbox.files.write("a.txt", "text" * 100)
        with pytest.raises(Exception) as raised:
            doing[call](sandbox)
        assert says_nothing(raised.value)


def test_a_call_that_hangs_is_given_up_by_its_client_alone() -> None:
    with bad_cloud("execute:hang") as (_, address), Sandbox.create(**address) as sandbox:
        with pytest.raises(Exception, match=r"(?i)timeout|timed out"):
            sandbox.run_code("1", timeout=0.2, request_timeout=0.2)
        assert sandbox.is_running()


def test_answers_that_are_slow_or_late_are_whole() -> None:
    with bad_cloud("create:slow/20000,execute:slow/2000,execute:delay/0.01") as (server, address):
        with Sandbox.create(**address) as sandbox:
            began = time.monotonic()
            # 500 letters at 2000 bytes per second cannot arrive earlier.
            assert sandbox.run_code("'x' * 500").text == "x" * 500
            assert time.monotonic() - began > 0.2
        assert set(report(server)["faults"].values()) == {1}


def test_a_sandbox_that_vanishes() -> None:
    with bad_cloud("execute:vanish/0.01") as (_, address):
        sandbox = Sandbox.create(**address)
        with pytest.raises(Exception):  # noqa: B017
            sandbox.run_code("import time; time.sleep(60)")
        with pytest.raises(SandboxNotFoundException):
            sandbox.get_info()


def test_a_sandbox_that_lives_shorter_than_was_asked() -> None:
    with bad_cloud("create:expire/60") as (_, address), Sandbox.create(timeout=300, **address) as sandbox:
        info = sandbox.get_info()
        assert (info.end_at - info.started_at).total_seconds() < 100


def test_limits_of_an_account() -> None:
    with bad_cloud("create:at-once/2,create:rate/1000") as (server, address):
        first, second = (Sandbox.create(**address) for _ in range(2))
        with pytest.raises(RateLimitException, match=r"sandboxes at once \(2\)"):
            Sandbox.create(**address)
        first.kill()
        third = Sandbox.create(**address)
        assert report(server)["most_at_once"] == 2
        second.kill()
        third.kill()
    with (
        bad_cloud("create:rate/0.01") as (_, address),
        Sandbox.create(**address),
        pytest.raises(RateLimitException, match=r"0\.01 sandboxes may be created a second"),
    ):
        Sandbox.create(**address)


def test_a_seed_spoils_the_same_calls_again() -> None:
    def spoilt(seed: int) -> list[bool]:
        with bad_cloud("info:500:0.5", faults_seed=seed) as (_, address), Sandbox.create(**address) as sandbox:
            return [_fails(sandbox) for _ in range(12)]

    once = spoilt(1)
    assert set(once) == {True, False}
    assert spoilt(1) == once
    assert spoilt(2) != once


def _fails(sandbox: Sandbox) -> bool:
    try:
        sandbox.get_info()
    except SandboxException:
        return True
    return False


def test_retry_after_is_said() -> None:
    with bad_cloud("create:429/3") as (server, address):
        with pytest.raises(RateLimitException) as raised:
            Sandbox.create(**address)
        assert retry_after(raised.value) == 3
        with pytest.raises(RateLimitException) as raised:
            asyncio.run(AsyncSandbox.create(**address))
        assert retry_after(raised.value) == 3
        variables = server.environment()
        answer = httpx.post(
            variables["E2B_API_URL"] + "/v2/sandboxes",
            headers={"X-API-Key": variables["E2B_API_KEY"]},
            json={"templateID": "base"},
        )
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert "Should-Retry" not in answer.headers
