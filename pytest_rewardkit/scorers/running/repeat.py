"""Scoring once more in a fresh sandbox, where the first one was lost and nothing but this scoring depended on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
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
    # Who has one that is not created yet has loaded the module, which loads the SDK.
    lazy = sys.modules.get("pytest_rewardkit.sandboxes.lazy")
    if lazy is None or not lazy.is_unused(sandbox):
        return score()
    try:
        return score()
    except SandboxSpoilt:
        raise
    except SandboxUnavailable:
        if not lazy.renewed(sandbox):
            raise
    move_out(sandbox)
    return score()
