"""Scorers and reward functions in an awaitable form: each call has a thread, and many are in flight at once.

Threads, because the SDK's plain sandboxes share one connection pool, and its plain client takes less processor time
than its asynchronous one, with 16 calls in flight as with 256 (benchmarks/in_flight.py).
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from pytest_rewardkit.sandboxes.twin import twin
from pytest_rewardkit.scorers.function import awaited

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

MAX_IN_FLIGHT: Final = 256
"""How many calls of a process run at a time; others wait, and their time limits have not begun."""

_has_a_thread: Final[ContextVar[bool]] = ContextVar("_has_a_thread", default=False)


def awaitable(scorer: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Returns the asynchronous form of a scorer, a reward function, or a function of `for_trl`.

    It takes the same arguments, and an `AsyncSandbox` as well as a `Sandbox`. If its await is cancelled, a call that
    has begun goes on within its limits; a sandbox made for the call is killed when it ends.

    Parameters:
        scorer: any function that does not use its caller's event loop; an asynchronous one gets a loop of its own.
    """

    async def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        def judge() -> T:
            # In the thread, since this creates a sandbox that does not exist yet.
            given = [_plain(value) for value in arguments]
            named = {name: _plain(value) for name, value in keywords.items()}
            result: T = awaited(scorer(*given, **named))
            return result

        return await in_thread(judge)

    return functools.update_wrapper(call, scorer)


async def in_thread(call: Callable[[], T]) -> T:
    """Returns the result of a call that runs in a thread, in the context of the task that awaits it."""
    if _has_a_thread.get():
        # A call that holds one of a limited number of threads and waits for another could wait forever.
        return await asyncio.to_thread(call)
    context = copy_context()
    context.run(_has_a_thread.set, True)
    return await asyncio.get_running_loop().run_in_executor(_threads(os.getpid()), context.run, call)


@functools.cache
def _threads(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a process that was forked has none of its parent's
    return ThreadPoolExecutor(MAX_IN_FLIGHT, thread_name_prefix="rewardkit-awaited")


def _plain(value: Any) -> Any:
    # A caller with an `AsyncSandbox` has loaded the SDK; loading it here would take half a second.
    sdk = sys.modules.get("e2b_code_interpreter")
    return twin(value) if sdk is not None and isinstance(value, sdk.AsyncSandbox) else value
