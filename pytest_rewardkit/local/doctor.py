"""`doctor`: what isolation a sandbox gets on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.channel import Channel
from pytest_rewardkit.local.launch import launch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def report(options: Sequence[str]) -> tuple[str, bool]:
    """Starts a fork server and asks it.

    Parameters:
        options: options of the fork server.

    Returns:
        The report, and whether sandboxes can be made.
    """
    launched = launch(options)
    channel = Channel(launched.sock)
    try:
        frame = channel.receive()
    finally:
        channel.close()
        status = launched.process.wait()
    if frame is None:
        return f"The fork server ended with status {status} before it was ready.", False
    return table(frame.message), True


def table(ready: Mapping[str, Any]) -> str:
    """The fork server's first message as a table for people."""
    layers = ready.get("layers")
    rows = [(str(name), _words(value)) for name, value in layers.items()] if isinstance(layers, dict) else []
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"Isolation level: {ready.get('level')}", ""]
    lines += [f"  {name:<{width}}  {words}" for name, words in rows]
    lines += ["", f"The fork server was ready after {ready.get('boot_ms', 0):.0f} ms."]
    return "\n".join(lines)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
