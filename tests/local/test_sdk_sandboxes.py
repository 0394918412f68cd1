"""The SDK's calls about sandboxes themselves: create, connect, list, info, timeout, kill."""

from __future__ import annotations

import datetime
import re
import time

import pytest
from e2b import (
    AuthenticationException,
    InvalidArgumentException,
    NotFoundException,
    SandboxException,
    SandboxQuery,
    SandboxState,
)
from e2b_code_interpreter import Sandbox


def test_create_gives_a_running_sandbox_with_e2b_s_kind_of_id(sandbox: Sandbox) -> None:
    assert re.fullmatch("i[a-z0-9]{20}", sandbox.sandbox_id)
    assert sandbox.is_running()


def test_metadata_and_envs_given_to_create(address: dict[str, str]) -> None:
    with Sandbox.create(metadata={"who": "ä/&=%"}, envs={"GREETING": "hello"}, **address) as sandbox:
        assert sandbox.get_info().metadata == {"who": "ä/&=%"}
        assert sandbox.commands.run("echo $GREETING").stdout == "hello\n"
        assert sandbox.run_code("import os; os.environ['GREETING']").text == "hello"


def test_get_info(sandbox: Sandbox) -> None:
    info = sandbox.get_info()
    assert info.sandbox_id == sandbox.sandbox_id
    assert info.template_id == "code-interpreter-v1"
    assert info.state == SandboxState.RUNNING
    assert info.memory_mb > 0
    assert info.end_at - info.started_at == pytest.approx(
        datetime.timedelta(seconds=300), abs=datetime.timedelta(seconds=5)
    )


def test_connect_by_id(sandbox: Sandbox, address: dict[str, str]) -> None:
    sandbox.files.write("note", "here")
    again = Sandbox.connect(sandbox.sandbox_id, **address)
    assert again.files.read("note") == "here"


def test_connect_prolongs_and_never_shortens(sandbox: Sandbox, address: dict[str, str]) -> None:
    end = sandbox.get_info().end_at
    Sandbox.connect(sandbox.sandbox_id, timeout=10, **address)
    assert sandbox.get_info().end_at == end
    Sandbox.connect(sandbox.sandbox_id, timeout=1000, **address)
    assert sandbox.get_info().end_at - end > datetime.timedelta(seconds=600)


def test_connect_to_nothing(address: dict[str, str]) -> None:
    with pytest.raises(NotFoundException):
        Sandbox.connect("i00000000000000000000", **address)


def test_list_pages_newest_first(address: dict[str, str]) -> None:
    mark = {"test": "list pages"}
    made = [Sandbox.create(metadata=mark, **address) for _ in range(3)]
    try:
        pages = Sandbox.list(query=SandboxQuery(metadata=mark), limit=2, **address)
        first = [info.sandbox_id for info in pages.next_items()]
        assert pages.has_next
        second = [info.sandbox_id for info in pages.next_items()]
        assert not pages.has_next
        assert first + second == [sandbox.sandbox_id for sandbox in reversed(made)]
        oldest = Sandbox.list(query=SandboxQuery(metadata=mark), order="asc", limit=1, **address)
        assert [info.sandbox_id for info in oldest.next_items()] == [made[0].sandbox_id]
        made[0].kill()  # the page's last sandbox is gone when the next page is requested
        assert [info.sandbox_id for info in oldest.next_items()] == [made[1].sandbox_id]
    finally:
        for sandbox in made:
            sandbox.kill()


def test_list_started_at_or_after(address: dict[str, str]) -> None:
    mark = {"test": "started after"}
    with Sandbox.create(metadata=mark, **address) as sandbox:
        started = sandbox.get_info().started_at

        def found(moment: datetime.datetime) -> list[str]:
            query = SandboxQuery(metadata=mark, started_after=moment)
            return [info.sandbox_id for info in Sandbox.list(query=query, **address).next_items()]

        assert found(started) == [sandbox.sandbox_id]
        assert found(started - datetime.timedelta(seconds=1)) == [sandbox.sandbox_id]
        assert found(started + datetime.timedelta(microseconds=1)) == []


def test_list_filters_by_encoded_metadata_and_state(address: dict[str, str]) -> None:
    odd = {"ke&y": "100% of a=b ü", "other": ""}
    with Sandbox.create(metadata=odd, **address) as sandbox:

        def found(**query: object) -> list[str]:
            return [info.sandbox_id for info in Sandbox.list(query=SandboxQuery(**query), **address).next_items()]

        assert found(metadata={"ke&y": "100% of a=b ü"}) == [sandbox.sandbox_id]
        assert found(metadata={"ke&y": "100% of a=b"}) == []
        assert sandbox.sandbox_id in found(state=[SandboxState.RUNNING])
        assert found(state=[SandboxState.PAUSED], metadata=odd) == []


def test_kill_is_true_once(address: dict[str, str]) -> None:
    sandbox = Sandbox.create(**address)
    assert sandbox.kill() is True
    assert sandbox.kill() is False
    assert not sandbox.is_running()
    with pytest.raises(NotFoundException):
        sandbox.get_info()
    with pytest.raises(NotFoundException):
        sandbox.set_timeout(10)


def test_a_sandbox_ends_at_its_time(address: dict[str, str]) -> None:
    sandbox = Sandbox.create(timeout=1, **address)
    command = sandbox.commands.run("sleep 100", background=True)
    with pytest.raises(SandboxException, match="killed or reached its end of life"):
        command.wait()
    assert not sandbox.is_running()


def test_set_timeout_counts_from_now_and_may_shorten(sandbox: Sandbox) -> None:
    sandbox.set_timeout(1000)
    assert sandbox.get_info().end_at.timestamp() - time.time() == pytest.approx(1000, abs=30)
    sandbox.set_timeout(0)
    with pytest.raises(SandboxException):
        sandbox.commands.run("sleep 100")
    assert not sandbox.is_running()


def test_a_wrong_key_is_refused(address: dict[str, str]) -> None:
    with pytest.raises(AuthenticationException):
        Sandbox.create(**{**address, "api_key": "e2b_" + "0" * 40})


def test_what_the_server_has_not_is_refused_by_name(address: dict[str, str]) -> None:
    with pytest.raises(SandboxException, match=r"501: .*volumes"):
        Sandbox.create(volume_mounts={"/data": "v"}, **address)
    with pytest.raises(SandboxException, match="404: template 'my-own' not found; known are: base"):
        Sandbox.create("my-own", **address)
    with pytest.raises(SandboxException, match=r"501: .*dnsServers"):
        Sandbox.create(network={"dns_servers": ["1.1.1.1"]}, **address)


def test_a_timeout_out_of_range_is_refused(address: dict[str, str]) -> None:
    with pytest.raises((InvalidArgumentException, SandboxException), match="timeout must be a whole number"):
        Sandbox.create(timeout=-1, **address)


def test_a_sandbox_can_have_limits_of_its_own(address: dict[str, str]) -> None:
    limits = {"X-Rewardkit-Limits": "memory_mb=200, disk_mb=1, output_mb=1"}
    with Sandbox.create(**address, api_headers=limits) as sandbox:
        assert sandbox.get_info().memory_mb == 200
        assert sandbox.run_code("data = bytearray(300 * 2**20)").error.name == "MemoryError"
        assert sandbox.run_code("open('f', 'w').write('x' * 2_000_000)").error is not None
        execution = sandbox.run_code("print('x' * 2_000_000)")
        assert sum(map(len, execution.logs.stdout)) == 2**20


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            "memory_gb=1",
            "there is no limit 'memory_gb'; there are memory_mb, processes, disk_mb, open_files, output_mb",
        ),
        ("memory_mb=0", "memory_mb must be a whole number from 1"),
        ("memory_mb", "memory_mb must be a whole number from 1"),
    ],
)
def test_limits_that_cannot_be_are_refused(address: dict[str, str], limits: str, message: str) -> None:
    with pytest.raises(SandboxException, match=message):
        Sandbox.create(**address, api_headers={"X-Rewardkit-Limits": limits})


def test_a_sandbox_beyond_its_memory_says_so(address: dict[str, str]) -> None:
    code = (
        "import os, time\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        data = bytearray(b'x') * (150 * 2**20)\n"
        "        time.sleep(60)\n"
        "time.sleep(60)"
    )
    with Sandbox.create(**address, api_headers={"X-Rewardkit-Limits": "memory_mb=300"}) as sandbox:
        sandbox.files.write("note", "kept")
        assert sandbox.run_code(code).error.name == "MemoryLimitExceeded"
        assert sandbox.run_code("open('note').read()").text == "kept"
