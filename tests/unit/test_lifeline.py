"""A server in a container ends with its owner, even if nothing closes the connection between them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.local.container.lifeline import FAREWELL, PULSE

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = """
import asyncio, sys
from pytest_rewardkit.local.container.lifeline import stop_without_owner

async def main():
    stop = asyncio.Event()
    stop_without_owner(stop, patience=float(sys.argv[1]))
    print("serving", flush=True)
    await stop.wait()

asyncio.run(main())
"""


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", SERVER, str(request.param)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serving\n"
        yield process
        process.kill()


@pytest.mark.parametrize("served", [600], indirect=True)
@pytest.mark.parametrize("last", [FAREWELL, PULSE + FAREWELL, b""], ids=["farewell", "after a pulse", "end of input"])
def test_it_ends_when_it_is_told(served: subprocess.Popen[bytes], last: bytes) -> None:
    assert served.stdin is not None
    served.stdin.write(last)
    served.stdin.flush()
    if not last:
        served.stdin.close()
    assert served.wait(60) == 0


@pytest.mark.parametrize("served", [0.1], indirect=True)
def test_it_ends_when_no_pulse_comes_though_the_pipe_is_open(served: subprocess.Popen[bytes]) -> None:
    assert served.wait(60) == 0
