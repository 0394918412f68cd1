"""A sandbox for code that runs outside of a pytest fixture: a reward function by itself, in a script or a trainer."""

from __future__ import annotations

import atexit
import os
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.sandboxes import creation
from pytest_rewardkit.sandboxes.choice import choose, resolve
from pytest_rewardkit.sandboxes.servers import open_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.sandboxes.provider import Provider


@contextmanager
def open_sandbox(**options: Any) -> Iterator[Sandbox]:
    """A fresh sandbox for the time of a `with` block.

    It comes from where the SDK's variables point to, and without `E2B_API_KEY` from a local server of this process,
    in a container where there can be no other, which its first use starts and the process's end stops.

    Parameters:
        options: keywords of `e2b_code_interpreter.Sandbox.create`.

    Raises:
        SandboxUnavailable: it could not be created.
        RewardkitUsageError: there is no key, and no local server can be had here.
    """
    sandbox = creation.create(**options) if os.environ.get("E2B_API_KEY") else _own_provider().create(**options)
    try:
        yield sandbox
    finally:
        with suppress(SandboxUnavailable), creation.infrastructure_failures():
            sandbox.kill()


@cache
def _own_provider() -> Provider:
    name = choose("auto", os.environ)
    server = open_server(name)
    assert server is not None
    atexit.register(server.stop)
    return resolve(name, environ={}, server=server, run_id="", isolation="auto")
