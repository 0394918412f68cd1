"""Which candidates have run in a sandbox, and so who is to blame if the sandbox refuses to go on.

A sandbox that refuses (failures.py) is in the state that its earlier candidates left. The candidate is to blame if it
ran there, in this scorer or an earlier one of its test; it is not if only other candidates ran there.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_rewardkit import turn
from pytest_rewardkit.errors import SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.local.endings import OWN_MEMORY
from pytest_rewardkit.reward import Reward, Verdict
from pytest_rewardkit.sandboxes.failures import own_ending
from pytest_rewardkit.scorers.running.cell_execution import MEMORY_USED_UP

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Sandbox

SPOILT: Final = "the candidate has spoilt its own sandbox"


@dataclass(slots=True)
class _Tenants:
    """Those whose candidates have run in one sandbox: tests, or callers that score outside pytest."""

    turns: weakref.WeakSet[object] = field(default_factory=weakref.WeakSet)
    outside: bool = False


_of_sandboxes: Final[weakref.WeakKeyDictionary[Sandbox, _Tenants]] = weakref.WeakKeyDictionary()


def moves_in(sandbox: Sandbox) -> None:
    """Note that a candidate starts to run in a sandbox."""
    tenants = _of_sandboxes.setdefault(sandbox, _Tenants())
    owner = turn.current()
    if owner is None:
        tenants.outside = True
    else:
        tenants.turns.add(owner)


def move_out(sandbox: Sandbox) -> None:
    """Note that a fresh sandbox has replaced this one, and nothing has run in it."""
    _of_sandboxes.pop(sandbox, None)


def is_its_own_doing(sandbox: Sandbox) -> bool:
    """Whether a candidate of the current test or caller has run in a sandbox."""
    tenants = _of_sandboxes.get(sandbox)
    if tenants is None:
        return False
    owner = turn.current()
    return tenants.outside if owner is None else owner in tenants.turns


def settled(sandbox: Sandbox, error: SandboxUnavailable, failed: Callable[[Verdict, str], Reward]) -> Reward:
    """Return the reward of a candidate whose sandbox was lost, or refused to go on.

    Parameters:
        failed: returns the reward of a candidate that fails in everything, for a reason.

    Raises SandboxUnavailable if nothing can be said about the candidate, and the SDK's error for wrong arguments if no
    candidate can be the cause.
    """
    if is_its_own_doing(sandbox):
        if isinstance(error, SandboxSpoilt):
            return failed(Verdict.RUNTIME_ERROR, f"{SPOILT}: {error}")
        ending = own_ending(sandbox)
        if ending == OWN_MEMORY:
            return failed(Verdict.MEMORY, MEMORY_USED_UP)
        if ending:
            return failed(Verdict.RUNTIME_ERROR, f"{SPOILT}: it has ended what holds it")
    elif isinstance(error, SandboxSpoilt):
        if sandbox in _of_sandboxes:
            return Reward.unscored(f"a candidate that ran in this sandbox before has spoilt it: {error}")
        from e2b import InvalidArgumentException

        if isinstance(error.__cause__, InvalidArgumentException):
            raise error.__cause__
    raise error
