"""Scores once more in a fresh sandbox if the first was lost and nothing but this scoring depended on it."""

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
    """Return the result of `score`; call it once more if the sandbox is lost and the candidate is not the cause.

    This happens only if the sandbox comes from a fixture and nobody had used it: a new sandbox would lack whatever a
    test or an earlier scorer had left in the old one.
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
