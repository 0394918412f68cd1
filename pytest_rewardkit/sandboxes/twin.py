"""The sandbox of an `AsyncSandbox` as the SDK's plain `Sandbox`: the same sandbox, without a request."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.sandboxes.lifetime import life_of, share_life

if TYPE_CHECKING:
    from e2b_code_interpreter import AsyncSandbox, Sandbox

# One for each, because what is known of a sandbox is keyed by its object (scorers/running/tenants.py).
_twins: Final[weakref.WeakKeyDictionary[AsyncSandbox, Sandbox]] = weakref.WeakKeyDictionary()


def twin(sandbox: AsyncSandbox) -> Sandbox:
    """Return the plain `Sandbox` for the sandbox of an asynchronous one; the same object each time."""
    from e2b_code_interpreter import Sandbox

    if (known := _twins.get(sandbox)) is not None:
        return known
    # The SDK's own way makes a request, and may change the sandbox's lifetime.
    made = Sandbox(
        sandbox_id=sandbox.sandbox_id,
        sandbox_domain=sandbox.sandbox_domain,
        envd_version=sandbox._envd_version,
        envd_access_token=sandbox._envd_access_token,
        traffic_access_token=sandbox.traffic_access_token,
        connection_config=sandbox.connection_config,
    )
    share_life(made, life_of(sandbox))
    # Two threads may arrive at once; both get the first one's object.
    return _twins.setdefault(sandbox, made)
