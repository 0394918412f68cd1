"""Sandboxes from E2B's cloud, or from a cluster of one's own that E2B's variables point to."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.sandboxes import creation
from pytest_rewardkit.sandboxes.again import again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from e2b import SandboxInfo
    from e2b_code_interpreter import AsyncSandbox, Sandbox

RUN_KEY = "pytest-rewardkit-run"
"""The metadata key under which a sandbox names the run that made it."""

CREATE_RETRIES = 8
"""A free account may create one sandbox a second; the SDK waits, as long as `Retry-After` says, and tries again."""


END_ROUNDS = 4
"""How often at most a run's sandboxes are listed at its end, until there is none."""


class E2BProvider:
    """Sandboxes by `E2B_API_KEY`; each carries the run's id, and only those are ever swept."""

    name = "e2b"
    limits = ()  # those of a template, set when it is built
    isolation = "virtual machine"

    def __init__(self, *, environ: Mapping[str, str], run_id: str) -> None:
        self._place = environ.get("E2B_API_URL") or environ.get("E2B_DOMAIN") or "e2b.app"
        self._run_id = run_id
        self._has_ended = False
        self.pace: Callable[[], AbstractContextManager[object]] | None = None
        """Entered for each request for a sandbox; None where nothing bounds how many there are a second."""
        self.on_retry: Callable[[], None] = lambda: None
        """Called each time that a sandbox is asked for again."""
        self.on_kill: Callable[[str], None] = lambda _: None
        """Called with the id of each sandbox that `close` has killed."""

    def describe(self) -> str:
        return f"E2B sandboxes from {self._place}"

    def environment(self) -> Mapping[str, str]:
        return {}  # the SDK reads what the user has set

    def create(self, **options: Any) -> Sandbox:
        return creation.create(**self._asking(), **self._marked(options))

    async def create_async(self, **options: Any) -> AsyncSandbox:
        return await creation.create_async(**self._asking(), **self._marked(options))

    def _asking(self) -> dict[str, Any]:
        pace = nullcontext if self.pace is None else self.pace
        return {"patience": creation.PATIENCE, "pace": pace, "on_retry": self.on_retry}

    def _marked(self, options: dict[str, Any]) -> dict[str, Any]:
        metadata = {**(options.get("metadata") or {}), RUN_KEY: self._run_id}
        # The SDK's own tries would keep to no pace, and take that of others.
        retries = CREATE_RETRIES if self.pace is None else 0
        return {"retries": retries, **options, "metadata": metadata}

    def close(self) -> None:
        """Kills the sandboxes that a dead worker of this run left behind; harmless when repeated."""
        if self._has_ended:
            return
        self._has_ended = True
        # That a service says of one that it is not there does not mean that it is gone.
        for _ in range(END_ROUNDS):
            for info in (left := again(lambda: list(sandboxes_of(self._run_id)))):
                kill(info.sandbox_id)
                self.on_kill(info.sandbox_id)
            if not left:
                return


def sandboxes_of(run_id: str) -> Iterator[SandboxInfo]:
    """The sandboxes that a run has created, where the SDK's variables lead, as far as they live."""
    from e2b import SandboxQuery
    from e2b_code_interpreter import Sandbox

    listing = Sandbox.list(query=SandboxQuery(metadata={RUN_KEY: run_id}))
    while listing.has_next:
        yield from listing.next_items()


def kill(sandbox_id: str) -> None:
    """End a sandbox, where the SDK's variables lead; one that is gone is no mistake."""
    from e2b_code_interpreter import Sandbox

    again(lambda: Sandbox.kill(sandbox_id))
