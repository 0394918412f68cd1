"""Scoring once more in a fresh sandbox, where the first one was lost and nothing but this scoring depended on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.sandboxes.lazy import is_unused, renewed
from pytest_rewardkit.scorers.running.tenants import move_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.reward import Reward


def repeated(score: Callable[[], Reward], sandbox: Sandbox) -> Reward:
    """Return what `score` returns, which is called once more if its sandbox is lost and that is no candidate's doing.

    Only where the sandbox is a fixture's that nobody had used: what a test or an earlier scorer has left in it would
    be missing in another one.

    Raises SandboxUnavailable.
    """
    if not is_unused(sandbox):
        return score()
    try:
        return score()
    except SandboxSpoilt:
        raise
    except SandboxUnavailable:
        if not renewed(sandbox):
            raise
    move_out(sandbox)
    return score()
