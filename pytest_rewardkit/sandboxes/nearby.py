"""Sandboxes whose server is on this machine, as one of ours is."""

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
"""What a sandbox says that was thought to have the code of scorers; who only claims to lack it is sent it."""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def server_nearby(sandbox: Sandbox) -> SplitResult | None:
    """The address of the server that a sandbox is of, if that is on this machine."""
    if (known := nearby_sandbox(sandbox)) is not None:
        return known.server if is_nearby(known.server) else None
    place = urlsplit(str(sandbox.connection_config.get_api_params().get("api_url") or ""))
    return place if is_nearby(place) else None


def is_nearby(place: SplitResult) -> bool:
    """Whether an address is this machine's own."""
    return place.hostname in _LOOPBACK


@dataclass(frozen=True, slots=True)
class NamedContext:
    """A context that somebody has named, and that need not be there yet."""

    id: str


def named_context(sandbox: Sandbox) -> NamedContext | None:
    """A context that the first code in it makes (local/named_contexts.py), if the server may be one of ours."""
    if server_nearby(sandbox) is None:
        return None
    from pytest_rewardkit.local.named_contexts import new_name

    return NamedContext(new_name())


def prepared_mark(sandbox: Sandbox, modules: Iterable[str]) -> str:
    """The module that a sandbox has if it has these from the start (local/prepared.py); "" if it surely has not.

    One that is nearby may be of another server than ours, and have none.
    """
    is_prepared = server_nearby(sandbox) is not None and set(modules) <= set(prepared.PREPARED)
    return prepared.mark() if is_prepared else ""
