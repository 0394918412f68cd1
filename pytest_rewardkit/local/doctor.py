"""`doctor`: what isolation a sandbox gets on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.local.channel import Channel
from pytest_rewardkit.local.isolation import Isolation
from pytest_rewardkit.local.launch import launch

if TYPE_CHECKING:
    from collections.abc import Sequence


class NoForkServerError(Exception):
    """The fork server does not come up."""


def examine(options: Sequence[str]) -> Isolation:
    """Starts a fork server, asks it, and ends it.

    Parameters:
        options: options of the fork server.

    Raises:
        NoForkServerError: no sandbox can be made; the text says why.
    """
    launched = launch(options)
    channel = Channel(launched.sock)
    try:
        frame = channel.receive()
    finally:
        channel.close()
        status = launched.process.wait()
    if frame is None:
        raise NoForkServerError(f"the fork server ended with status {status} before it was ready")
    if frame.message.get("event") == "failed":
        raise NoForkServerError(str(frame.message.get("message")))
    return Isolation.from_message(frame.message)
