"""Creating sandboxes for one scope, with a bound on how many are alive, and killing them where the scope ends."""

from __future__ import annotations

import asyncio
import time
import warnings
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pytest_rewardkit.errors import RewardkitWarning, SandboxUnavailable
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.options import LIMITS, check_options
from pytest_rewardkit.sandboxes.quota.left import SLOT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.sandboxes.provider import Provider
    from pytest_rewardkit.sandboxes.quota.budget import Budget
    from pytest_rewardkit.sandboxes.quota.slots import Slot

S = TypeVar("S", "Sandbox", "AsyncSandbox")

USUAL_LIFETIME: Final = 300
"""Seconds that a sandbox lives of which nothing else was said."""


class Factory:
    """Creates sandboxes and kills all that it created.

    Parameters:
        provider: where the sandboxes come from.
        options: keywords of the SDK's ``Sandbox.create`` and limits that each sandbox gets unless the call says
            otherwise.
        budget: the bound on sandboxes alive at once; None for no bound.
        wants: how many may be asked for at once, by this factory or another one of the same test: 1, or as of `Budget`.
        keep: whether the sandboxes are for more than the test that asks for them.
        note: called with the seconds waited for a turn, the seconds until the sandbox had started, and its own limits.
    """

    def __init__(
        self,
        provider: Provider,
        options: Mapping[str, Any],
        *,
        budget: Budget | None,
        wants: int = 1,
        keep: bool = False,
        note: Callable[[float, float, dict[str, int]], None],
    ) -> None:
        self._provider = provider
        self._options = options
        self._budget = budget
        self._wants = wants
        self._keep = keep
        self._note = note
        self._alive: list[tuple[str, Callable[[], object], Slot | None]] = []
        self._runner: asyncio.Runner | None = None

    def create(self, **options: Any) -> Sandbox:
        """Return a new sandbox.

        Raises SandboxUnavailable when the infrastructure failed, RewardkitUsageError for keywords that are
        unknown and limits that cannot be.
        """
        __tracebackhide__ = True
        return self._created(
            lambda keywords: self._provider.create(**keywords), options, lambda sandbox: lambda: again(sandbox.kill)
        )

    def create_async(self, **options: Any) -> AsyncSandbox:
        """Return a new sandbox of the asynchronous SDK, which any event loop may use."""
        __tracebackhide__ = True
        # The SDK's connections belong to no event loop; so the sandbox can be made before the test's loop runs, and
        # by every test framework's asynchronous plugin alike.
        runner = self._runner = self._runner or asyncio.Runner(loop_factory=asyncio.new_event_loop)
        return self._created(
            lambda keywords: runner.run(self._provider.create_async(**keywords)),
            options,
            lambda sandbox: lambda: again(lambda: runner.run(sandbox.kill())),
        )

    def close(self) -> None:
        """Kill every sandbox that was created, the last one first."""
        while self._alive:
            self._end(*self._alive.pop())
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _end(self, sandbox_id: str, kill: Callable[[], object], slot: Slot | None) -> None:
        gone = False
        try:
            kill()
            gone = True
        except Exception as error:
            text = f"sandbox {sandbox_id} could not be killed: {type(error).__name__}: {error}"
            warnings.warn(text, RewardkitWarning, stacklevel=3)
        finally:
            if self._budget is not None and slot is not None:
                self._budget.give_back(slot, gone=gone)

    def _created(
        self,
        create: Callable[[dict[str, Any]], S],
        options: Mapping[str, Any],
        kill: Callable[[S], Callable[[], object]],
    ) -> S:
        __tracebackhide__ = True
        keywords = {**self._options, **options}
        check_options(keywords, self._provider)
        began = time.perf_counter()
        slot = None
        if self._budget is not None:
            slot = self._budget.acquire(wants=self._wants, keep=self._keep)
            self._budget.pace()
        if slot is not None:
            slot.expect()
            keywords["metadata"] = {**(keywords.get("metadata") or {}), SLOT_KEY: slot.mark}
        turn = time.perf_counter()
        try:
            sandbox = create(keywords)
        except BaseException as error:
            if self._budget is not None and slot is not None:
                self._budget.give_back(slot, gone=_is_refused(error))
            raise
        if slot is not None:
            slot.fill(sandbox.sandbox_id, keywords.get("timeout") or USUAL_LIFETIME)
        self._alive.append((sandbox.sandbox_id, kill(sandbox), slot))
        limits = {name: keywords[name] for name in LIMITS if keywords.get(name) is not None}
        self._note(turn - began, time.perf_counter() - turn, limits)
        return sandbox


def _is_refused(error: BaseException) -> bool:
    """Whether a creation that ended so has left no sandbox: it was refused, or never asked for."""
    from e2b import AuthenticationException
    from e2b.exceptions import RateLimitException, ServiceBusyException

    if isinstance(error, SandboxUnavailable):
        return isinstance(error.__cause__, RateLimitException | ServiceBusyException | AuthenticationException)
    return isinstance(error, Exception)
