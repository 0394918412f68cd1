"""Notes one process's sandboxes, and decides whether it may request more."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.sandboxes.usage.bounds import UsageBounds
    from pytest_rewardkit.sandboxes.usage.journal import Journal


class UsageMeter:
    """Notes sandboxes in the run's journal.

    Parameters:
        journal: of the run.
        bounds: the run's bounds.
    """

    def __init__(self, journal: Journal, bounds: UsageBounds) -> None:
        self.journal = journal
        self.bounds = bounds
        self._sizes: dict[str, tuple[float, float]] = {}

    def ask(self, mark: str) -> None:
        """Note that a sandbox is being requested.

        Raises:
            SandboxUnavailable: the run may not have more.
        """
        if self.bounds:
            self.bounds.require_room(self.journal.usage())
        self.journal.asked(mark)

    def created(self, mark: str, sandbox: Sandbox | AsyncSandbox, template: str, lifetime: float) -> None:
        """Note the sandbox that the request created."""
        # First the known values, because asking for more takes a request.
        size = self._sizes.get(template, (0.0, 0.0))
        self.journal.created(mark, sandbox.sandbox_id, lifetime, *size)
        if self.bounds.prices is not None and template not in self._sizes:
            self._sizes[template] = size = _size(sandbox)
            self.journal.sized(sandbox.sandbox_id, *size)


def _size(sandbox: Sandbox | AsyncSandbox) -> tuple[float, float]:
    from e2b_code_interpreter import Sandbox

    # A price that is not known exactly must not fail a test.
    with suppress(Exception):
        info = Sandbox.get_info(sandbox.sandbox_id, **sandbox.connection_config.get_api_params())
        return float(info.cpu_count), info.memory_mb / 1024
    return 0.0, 0.0
