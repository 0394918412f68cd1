"""Creates sandboxes for one scope, with a bound on how many are alive, and kills them when the scope ends."""

from __future__ import annotations

import asyncio
import secrets
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_rewardkit.errors import RewardkitUsageError, RewardkitWarning, SandboxUnavailable
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.lifetime import USUAL_LIFETIME, life_of
from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox
from pytest_rewardkit.sandboxes.options import LIMITS, check_options
from pytest_rewardkit.sandboxes.quota.left import SLOT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from contextlib import AbstractContextManager

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.sandboxes.provider import Provider
    from pytest_rewardkit.sandboxes.quota.budget import Budget
    from pytest_rewardkit.sandboxes.quota.slots import Slot
    from pytest_rewardkit.sandboxes.usage.meter import UsageMeter

S = TypeVar("S", "Sandbox", "AsyncSandbox", "Sandbox | NearbySandbox")
T = TypeVar("T")


class Factory:
    """Creates sandboxes and kills all of them.

    Parameters:
        provider: where the sandboxes come from.
        options: keywords of the SDK's ``Sandbox.create`` and limits that each sandbox gets unless the call says
            otherwise.
        budget: the bound on sandboxes alive at once; None for no bound.
        wants: how many this factory or another one of the same test may ask for at once: 1, or as for `Budget`.
        keep: whether the sandboxes outlive the test that asks for them.
        meter: told of each sandbox, and may refuse one; None for no meter.
        note: called with the seconds in the queue, the seconds until the sandbox had started, and its own limits.
    """

    def __init__(
        self,
        provider: Provider,
        options: Mapping[str, Any],
        *,
        budget: Budget | None,
        wants: int = 1,
        keep: bool = False,
        meter: UsageMeter | None = None,
        note: Callable[[float, float, dict[str, int]], None],
    ) -> None:
        self._provider = provider
        self._options = options
        self._budget = budget
        self._wants = wants
        self._keep = keep
        self._meter = meter
        self._note = note
        self._alive: list[tuple[str, Callable[[], object], Slot | None]] = []
        self._runner: asyncio.Runner | None = None
        self._has_ended = False

    def create(self, **options: Any) -> Sandbox:
        """Return a new sandbox.

        Raises SandboxUnavailable when the infrastructure failed, RewardkitUsageError for unknown keywords and
        impossible limits.
        """
        __tracebackhide__ = True
        return self._created(
            lambda keywords: self._provider.create(**keywords), options, lambda sandbox: lambda: again(sandbox.kill)
        )

    def create_nearby(self, **options: Any) -> Sandbox | NearbySandbox:
        """Like `create`, but without the SDK if the provider does not need it."""
        __tracebackhide__ = True
        create_nearby = getattr(self._provider, "create_nearby", None)
        if create_nearby is None or self._meter is not None:  # the meter asks the SDK for the size of a sandbox
            return self.create(**options)
        return self._created(
            lambda keywords: create_nearby(**keywords), options, lambda sandbox: lambda: again(sandbox.kill)
        )

    def create_async(self, **options: Any) -> AsyncSandbox:
        """Return a new sandbox of the asynchronous SDK, usable from any event loop."""
        __tracebackhide__ = True
        return self._created(
            lambda keywords: self._run(self._provider.create_async(**keywords)),
            options,
            lambda sandbox: lambda: again(lambda: self._run(sandbox.kill())),
        )

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        # The SDK's connections belong to no event loop. So the sandbox can be created before the test's loop runs or
        # while it runs, and with every test framework's asynchronous plugin.
        runner = self._runner = self._runner or asyncio.Runner(loop_factory=asyncio.new_event_loop)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return runner.run(coroutine)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(runner.run, coroutine).result()

    def close(self) -> None:
        """Kill every created sandbox, the last one first."""
        while self._alive:
            self._end(*self._alive.pop())
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def discard(self, sandbox_id: str) -> None:
        """Kill a lost sandbox, so that its work can be done in another one."""
        for known in self._alive:
            if known[0] == sandbox_id:
                self._alive.remove(known)
                self._end(*known)
                if self._meter is not None:
                    self._meter.journal.repeated()
                return

    def end(self) -> None:
        """Kill every created sandbox, and create no more."""
        self._has_ended = True
        self.close()

    def _end(self, sandbox_id: str, kill: Callable[[], object], slot: Slot | None) -> None:
        gone = False
        try:
            kill()
            gone = True
            if self._meter is not None:
                self._meter.journal.gone(sandbox_id)
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
        if self._has_ended:
            raise RewardkitUsageError("the test that this sandbox was for is over")
        keywords = {**self._options, **options}
        check_options(keywords, self._provider)
        began = time.perf_counter()
        slot = None if self._budget is None else self._budget.acquire(wants=self._wants, keep=self._keep)
        mark = secrets.token_hex(8) if slot is None else slot.mark
        turn = None
        paced_before = self._paced_seconds()
        try:
            self._begin(mark, slot, keywords)
            turn = time.perf_counter()
            with self._pace():
                sandbox = create(keywords)
        except BaseException as error:
            self._give_back(mark, slot, gone=turn is None or _is_refused(error))
            raise
        # First of all: if anything fails from here on, `close` still ends the sandbox.
        self._alive.append((sandbox.sandbox_id, kill(sandbox), slot))
        lifetime = keywords.get("timeout") or USUAL_LIFETIME
        if slot is not None:
            slot.fill(sandbox.sandbox_id, lifetime)
        if self._meter is not None:
            self._meter.created(mark, sandbox, keywords.get("template") or "", lifetime)
        self._follow(sandbox, slot)
        limits = {name: keywords[name] for name in LIMITS if keywords.get(name) is not None}
        paced = self._paced_seconds() - paced_before
        self._note(turn - began + paced, time.perf_counter() - turn - paced, limits)
        return sandbox

    def _follow(self, sandbox: Sandbox | AsyncSandbox | NearbySandbox, slot: Slot | None) -> None:
        """See to it that a prolonged life is known wherever the first one is."""

        def note(seconds: float) -> None:
            if slot is not None and slot.is_held:
                slot.fill(sandbox.sandbox_id, seconds)
            if self._meter is not None:
                self._meter.journal.prolonged(sandbox.sandbox_id, seconds)

        life = sandbox.life if isinstance(sandbox, NearbySandbox) else life_of(sandbox)
        life.on_prolong = note

    def _pace(self) -> AbstractContextManager[object]:
        # A provider that repeats requests keeps to the pace on its own each time.
        if self._budget is None or getattr(self._provider, "pace", None) is not None:
            return nullcontext()
        return self._budget.pace()

    def _paced_seconds(self) -> float:
        return 0.0 if self._budget is None else self._budget.paced_seconds

    def _begin(self, mark: str, slot: Slot | None, keywords: dict[str, Any]) -> None:
        """Note that a sandbox is being requested."""
        if self._meter is not None:
            self._meter.ask(mark)
        if slot is not None:
            slot.expect()
            keywords["metadata"] = {**(keywords.get("metadata") or {}), SLOT_KEY: mark}

    def _give_back(self, mark: str, slot: Slot | None, *, gone: bool) -> None:
        if self._meter is not None and gone:
            self._meter.journal.refused(mark)
        if self._budget is not None and slot is not None:
            self._budget.give_back(slot, gone=gone)


def _is_refused(error: BaseException) -> bool:
    """Whether a failed creation has left no sandbox, because it was refused or never sent."""
    from e2b import AuthenticationException
    from e2b.exceptions import RateLimitException, ServiceBusyException

    if isinstance(error, SandboxUnavailable):
        return isinstance(error.__cause__, RateLimitException | ServiceBusyException | AuthenticationException)
    return isinstance(error, Exception)
