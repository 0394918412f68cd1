"""Sandboxes for code outside a pytest fixture: a reward function on its own, in a script or a trainer."""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.sandboxes.choice import choose
from pytest_rewardkit.sandboxes.lending import lent
from pytest_rewardkit.sandboxes.script_run import ScriptRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

_VARIABLES: Final = ("E2B_API_KEY", "E2B_API_URL", "E2B_DOMAIN")


@contextmanager
def open_sandbox(**options: Any) -> Iterator[Sandbox]:
    """Open a fresh sandbox for the time of a `with` block.

    It comes from where the SDK's variables point to. Without `E2B_API_KEY` it comes from a local server of this
    process, in a container if nothing else works. The first use starts that server, and the process's end stops it.

    Parameters:
        options: keywords of `e2b_code_interpreter.Sandbox.create`.

    Raises:
        SandboxUnavailable: it could not be created.
        RewardkitUsageError: there is no key, and a local server does not work here.
    """
    factory = lent() or _own_run().factory()
    try:
        yield factory.create(**options)
    finally:
        factory.close()


def _own_run() -> ScriptRun:
    # The variables may change later, and a forked process has its own run.
    return _run(os.getpid(), *(os.environ.get(name, "") for name in _VARIABLES))


@cache
def _run(process: int, key: str, *_: str) -> ScriptRun:
    stack = ExitStack()
    run = stack.enter_context(ScriptRun.open("e2b" if key else choose("auto", os.environ)))
    atexit.register(lambda: stack.close() if os.getpid() == process else None)
    return run
