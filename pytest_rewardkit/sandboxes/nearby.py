"""Sandboxes whose server is on this machine, which may be one of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pytest_rewardkit.local import prepared
from pytest_rewardkit.sandboxes.lazy import nearby_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

    from e2b_code_interpreter import Sandbox

UNPREPARED: Final = prepared.UNPREPARED
"""The answer of a sandbox that was thought to have the scorers' code and lacks it. A false claim only costs sending
the code."""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def server_nearby(sandbox: Sandbox) -> SplitResult | None:
    """Return the address of a sandbox's server if it is on this machine."""
    if (known := nearby_sandbox(sandbox)) is not None:
        return known.server if is_nearby(known.server) else None
    place = urlsplit(str(sandbox.connection_config.get_api_params().get("api_url") or ""))
    return place if is_nearby(place) else None


def is_nearby(place: SplitResult) -> bool:
    """Whether an address belongs to this machine."""
    return place.hostname in _LOOPBACK


@dataclass(frozen=True, slots=True)
class NamedContext:
    """A context with a name, which need not exist yet."""

    id: str


def named_context(sandbox: Sandbox) -> NamedContext | None:
    """Return a context that its first code creates (local/named_contexts.py), if the server may be one of ours."""
    if server_nearby(sandbox) is None:
        return None
    from pytest_rewardkit.local.named_contexts import new_name

    return NamedContext(new_name())


def prepared_mark(sandbox: Sandbox, modules: Iterable[str]) -> str:
    """Return the module that a sandbox has with these from the start (local/prepared.py); "" if it surely lacks it.

    The module may be missing, because a nearby sandbox may belong to another server than ours.
    """
    is_prepared = server_nearby(sandbox) is not None and set(modules) <= set(prepared.PREPARED)
    return prepared.mark() if is_prepared else ""
