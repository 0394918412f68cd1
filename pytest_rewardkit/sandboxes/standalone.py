"""Sandboxes for code that runs outside of a pytest fixture: a reward function by itself, in a script or a trainer."""

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
    """A fresh sandbox for the time of a `with` block.

    It comes from where the SDK's variables point to, and without `E2B_API_KEY` from a local server of this process,
    in a container where there can be no other, which its first use starts and the process's end stops.

    Parameters:
        options: keywords of `e2b_code_interpreter.Sandbox.create`.

    Raises:
        SandboxUnavailable: it could not be created.
        RewardkitUsageError: there is no key, and no local server can be had here.
    """
    factory = lent() or _own_run().factory()
    try:
        yield factory.create(**options)
    finally:
        factory.close()


def _own_run() -> ScriptRun:
    # The variables may lead somewhere else later, and a process that was forked has a run of its own.
    return _run(os.getpid(), *(os.environ.get(name, "") for name in _VARIABLES))


@cache
def _run(process: int, key: str, *_: str) -> ScriptRun:
    stack = ExitStack()
    run = stack.enter_context(ScriptRun.open("e2b" if key else choose("auto", os.environ)))
    atexit.register(lambda: stack.close() if os.getpid() == process else None)
    return run
