"""Sandboxes that an ended process has left behind: finds them by the process's notes, and ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.sandboxes.failures import says_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

SLOT_KEY: Final = "pytest-rewardkit-slot"
"""The metadata key under which a sandbox names the slot that it was created for."""


def end(known: Mapping[str, Any]) -> bool:
    """End a sandbox, by its id or mark, at the place that the SDK's variables point to. Returns whether it is gone.

    Parameters:
        known: what its creator has noted about it.
    """
    from e2b import SandboxQuery
    from e2b_code_interpreter import Sandbox

    try:
        if "sandbox" in known:
            Sandbox.kill(known["sandbox"])
            return True
        listing = Sandbox.list(query=SandboxQuery(metadata={SLOT_KEY: known.get("mark", "")}))
        while listing.has_next:
            for info in listing.next_items():
                Sandbox.kill(info.sandbox_id)
    except Exception as error:
        if not says_nothing(error):
            raise
        return False
    return True
