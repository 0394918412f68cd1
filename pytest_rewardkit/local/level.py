"""The isolation that sandboxes get on this machine, found out without a server. Imports little."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import NoSuchLevelError
from pytest_rewardkit.local.isolation import Isolation
from pytest_rewardkit.local.server.launch import ended_early, launch, options_after
from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.local.wire.frames import Message

_BOOT_SECONDS = 20.0
_END_SECONDS = 5.0


def find_level(isolation: str) -> str:
    """The name of the level that sandboxes get, as :func:`find_isolation`."""
    return find_isolation(isolation).level


@cache
def find_isolation(isolation: str) -> Isolation:
    """The isolation that sandboxes get, tried once by a process.

    Parameters:
        isolation: as in `Settings`.

    Raises:
        NoSuchLevelError: what was asked for cannot be had.
    """
    return examine([f"--isolation={isolation}", "--cold"])


def examine(options: Sequence[str]) -> Isolation:
    """What a server's fork server finds out, by the same attempts: one is started, asked and ended for each.

    Parameters:
        options: options of the fork server.

    Raises:
        NoSuchLevelError: there can be no sandboxes.
    """
    failed: dict[str, str] = {}
    while True:
        message = _first_word([*options, *options_after(failed)])
        if message["event"] == "ready":
            return Isolation.from_message(message)
        plan = message.get("plan")
        if plan is None or plan in failed:
            raise NoSuchLevelError(str(message.get("message")))
        failed[str(plan)] = str(message.get("message"))


def _first_word(options: Sequence[str]) -> Message:
    launched = launch(options)
    launched.sock.settimeout(_BOOT_SECONDS)
    channel = Channel(launched.sock)
    trying: Message = {}
    try:
        while (frame := channel.receive()) is not None:
            if frame.message["event"] != "trying":
                return frame.message
            trying = {"plan": frame.message["plan"]}
    except TimeoutError:
        launched.process.kill()
        return {"event": "failed", "message": f"the fork server was not ready within {_BOOT_SECONDS:g} s"}
    finally:
        channel.close()
        try:
            launched.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            launched.process.kill()
            launched.process.wait()
    return {"event": "failed", "message": ended_early(launched.process.returncode), **trying}
