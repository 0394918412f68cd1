"""Candidates that speak on their kernel's own channel: they may lie about themselves, but harm nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import Sandbox
from processes import open_files
from servers import sdk_address

from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SEND = """
import json, os, socket, stat, struct
def send(data):
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, data)
        except OSError:
            pass
def frame(message, descriptors=0):
    body = json.dumps(message).encode() if not isinstance(message, bytes) else message
    return struct.pack("!IH", len(body), descriptors) + body
def whichever(message):
    return b"".join(frame({**message, "id": number}) for number in range(10))
"""


@pytest.fixture
def neighbour(address: dict[str, str]) -> Iterator[Sandbox]:
    """A sandbox that must not notice anything."""
    with Sandbox.create(**address) as neighbour:
        neighbour.run_code("x = 'unharmed'")
        yield neighbour
        assert neighbour.run_code("x").text == "unharmed"


@pytest.mark.parametrize(
    "data",
    [
        "b'\\xff' * 1000",
        "struct.pack('!IH', 2**31, 0)",
        "struct.pack('!IH', 10, 60000) + b'x' * 10",
        "frame({'id': 1}, 3)",
        "frame(b'[1]')",
        "frame(b'[' * 100000)",
        "frame({'event': 'unheard of', 'id': 1})",
        "whichever({'event': 'result', 'data': 'no object'})",
        "whichever({'event': 'error', 'name': 5})",
        "whichever({'event': 'end', 'execution_count': 'many'})",
        "frame({'event': 'end', 'id': 'x'})",
    ],
)
def test_breaking_the_protocol_costs_the_kernel_alone(address: dict[str, str], neighbour: Sandbox, data: str) -> None:
    with Sandbox.create(**address) as sandbox:
        execution = sandbox.run_code(f"{SEND}\nsend({data})\nwhile True: pass")
        assert execution.error is not None
        assert execution.error.name == "ContextRestarting"
        assert sandbox.run_code("1 + 1").text == "2"


def test_a_forged_result_is_the_candidate_s_own(address: dict[str, str], neighbour: Sandbox) -> None:
    with Sandbox.create(**address) as sandbox:
        forged = "whichever({'event': 'result', 'data': {'text/plain': 'forged', 'e2b/chart': 1}, 'main': True})"
        execution = sandbox.run_code(f"{SEND}\nsend({forged})\n'true'")
        assert [result.text for result in execution.results] == ["forged", "true"]
        assert sandbox.run_code("send(frame({'event': 'end', 'id': 1}))\n'after'").text == "after"


def test_a_flood_of_results_is_bounded(address: dict[str, str], neighbour: Sandbox) -> None:
    code = "from IPython.display import display, HTML\nfor _ in range(30): display(HTML('x' * 2_000_000))\n'end'"
    with Sandbox.create(**address) as sandbox:
        execution = sandbox.run_code(code)
        assert sum(len(result.html or "") for result in execution.results) <= 16 * 2**20
        assert "was dropped" in "".join(execution.logs.stderr)
        assert sandbox.run_code("1 + 1").text == "2"


def test_a_kernel_that_closes_its_channel_is_restarted(address: dict[str, str], neighbour: Sandbox) -> None:
    with Sandbox.create(**address) as sandbox:
        execution = sandbox.run_code("import os\nos.closerange(0, 100)\nwhile True: pass")
        assert execution.error is not None
        assert execution.error.name == "ContextRestarting"
        assert sandbox.run_code("1 + 1").text == "2"


def test_descriptors_that_a_kernel_sends_are_thrown_away(address: dict[str, str], neighbour: Sandbox) -> None:
    code = (
        "import array\n"
        "for number in range(3, 64):\n"
        "    try:\n"
        "        sock = socket.socket(fileno=os.dup(number))\n"
        "        files = array.array('i', [os.open('/dev/null', 0) for _ in range(60)])\n"
        "        sock.sendmsg([b'\\0'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])\n"
        "    except OSError: pass"
    )
    with LocalServer.listen() as server, Sandbox.create(**sdk_address(server)) as sandbox:
        assert server._process is not None
        sandbox.run_code(SEND)
        before = open_files(server._process.pid)
        sandbox.run_code(code)
        assert sandbox.run_code("1 + 1").text == "2"
        assert open_files(server._process.pid) < before + 60
