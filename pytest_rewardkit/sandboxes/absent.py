"""The provider without sandboxes, for a run that names no provider on a machine where none works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.sandboxes.options import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2b_code_interpreter import AsyncSandbox, Sandbox


ABSENT: Final = "none"
"""The name of the provider without sandboxes."""


class AbsentProvider:
    """Gives no sandboxes; tests that do not need one still run.

    Parameters:
        reason: why there are none, and what to do about it.
    """

    name = ABSENT
    isolation = "none"
    limits = LIMITS

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def describe(self) -> str:
        return f"no sandboxes: {self._reason}"

    def environment(self) -> Mapping[str, str]:
        return {}

    def create(self, **_: Any) -> Sandbox:
        raise SandboxUnavailable(f"no sandboxes can be created here: {self._reason}")

    async def create_async(self, **_: Any) -> AsyncSandbox:
        raise SandboxUnavailable(f"no sandboxes can be created here: {self._reason}")

    def close(self) -> None:
        pass
