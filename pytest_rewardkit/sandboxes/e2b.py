"""Sandboxes from E2B's cloud, or from a user's own cluster that E2B's variables point to."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.sandboxes import creation
from pytest_rewardkit.sandboxes.again import again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from e2b import SandboxInfo
    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.sandboxes.quota.pace import PacedRequest

RUN_KEY = "pytest-rewardkit-run"
"""The metadata key under which a sandbox names the run that created it."""

CREATE_RETRIES = 8
"""A free account may create one sandbox a second. The SDK waits as long as `Retry-After` says, and tries again."""


END_ROUNDS = 4
"""How often a run's sandboxes are listed at its end, at most, until none is left."""


class E2BProvider:
    """Sandboxes by `E2B_API_KEY`; each carries the run's id, and the sweep ends only those."""

    name = "e2b"
    limits = ()  # a template sets them when it is built
    isolation = "virtual machine"

    def __init__(self, *, environ: Mapping[str, str], run_id: str) -> None:
        self._place = environ.get("E2B_API_URL") or environ.get("E2B_DOMAIN") or "e2b.app"
        self._run_id = run_id
        self._has_ended = False
        self.pace: Callable[[], PacedRequest | nullcontext[None]] | None = None
        """Entered for each request for a sandbox; None if the rate of requests has no bound."""
        self.on_retry: Callable[[], None] = lambda: None
        """Called each time a request for a sandbox is repeated."""
        self.on_kill: Callable[[str], None] = lambda _: None
        """Called with the id of each sandbox that `close` has killed."""

    def describe(self) -> str:
        return f"E2B sandboxes from {self._place}"

    def environment(self) -> Mapping[str, str]:
        return {}  # the SDK reads the user's own variables

    def create(self, **options: Any) -> Sandbox:
        return creation.create(**self._asking(), **self._marked(options))

    async def create_async(self, **options: Any) -> AsyncSandbox:
        return await creation.create_async(**self._asking(), **self._marked(options))

    def _asking(self) -> dict[str, Any]:
        pace = nullcontext if self.pace is None else self.pace
        return {"patience": creation.PATIENCE, "pace": pace, "on_retry": self.on_retry}

    def _marked(self, options: dict[str, Any]) -> dict[str, Any]:
        metadata = {**(options.get("metadata") or {}), RUN_KEY: self._run_id}
        # The SDK's own retries ignore the pace, and use up that of other processes.
        retries = CREATE_RETRIES if self.pace is None else 0
        return {"retries": retries, **options, "metadata": metadata}

    def close(self) -> None:
        """Kill the sandboxes that a dead worker of this run left behind; harmless when repeated."""
        if self._has_ended:
            return
        self._has_ended = True
        # A sandbox may still exist although the service says that it does not.
        for _ in range(END_ROUNDS):
            for info in (left := again(lambda: list(sandboxes_of(self._run_id)))):
                kill(info.sandbox_id)
                self.on_kill(info.sandbox_id)
            if not left:
                return


def sandboxes_of(run_id: str) -> Iterator[SandboxInfo]:
    """Yield the live sandboxes that a run has created, from the place that the SDK's variables point to."""
    from e2b import SandboxQuery
    from e2b_code_interpreter import Sandbox

    listing = Sandbox.list(query=SandboxQuery(metadata={RUN_KEY: run_id}))
    while listing.has_next:
        yield from listing.next_items()


def kill(sandbox_id: str) -> None:
    """End a sandbox, at the place that the SDK's variables point to; one that is already gone is not an error."""
    from e2b_code_interpreter import Sandbox

    again(lambda: Sandbox.kill(sandbox_id))
