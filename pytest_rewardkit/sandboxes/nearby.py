"""Sandboxes whose server is on this machine, as one of ours is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

    from e2b_code_interpreter import Sandbox

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def server_nearby(sandbox: Sandbox) -> SplitResult | None:
    """The address of the server that a sandbox is of, if that is on this machine."""
    place = urlsplit(str(sandbox.connection_config.get_api_params().get("api_url") or ""))
    return place if place.hostname in _LOOPBACK else None


def prepared_mark(sandbox: Sandbox, modules: Iterable[str]) -> str:
    """The module that a sandbox has if it has these from the start (local/prepared.py); "" if it surely has not.

    One that is nearby may be of another server than ours, and have none.
    """
    from pytest_rewardkit.local.prepared import PREPARED, mark

    return mark() if server_nearby(sandbox) is not None and set(modules) <= set(PREPARED) else ""
