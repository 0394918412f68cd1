"""The line between a server in a container and its owner outside: the server's standard input.

The owner sends a byte now and then, the pulse. After the owner's death the pipe may stay open, because of a process
that the owner forked or a connection whose end nobody notices; but then there is no pulse.
"""

from __future__ import annotations

import asyncio
import os

PULSE = b"."
FAREWELL = b"!"

PULSE_SECONDS = 20.0
PATIENCE_SECONDS = 300.0
"""How long the server outlives the last pulse: an owner may be stopped for a while, or busy."""


def stop_without_owner(stop: asyncio.Event, patience: float = PATIENCE_SECONDS) -> None:
    """Sets `stop` at a farewell, at the end of the input, or if no pulse has come for `patience` seconds."""
    loop = asyncio.get_running_loop()
    timer = loop.call_later(patience, stop.set)

    def readable() -> None:
        nonlocal timer
        received = os.read(0, 4096)
        timer.cancel()
        if received and FAREWELL not in received:
            timer = loop.call_later(patience, stop.set)
        else:
            loop.remove_reader(0)
            stop.set()

    loop.add_reader(0, readable)
