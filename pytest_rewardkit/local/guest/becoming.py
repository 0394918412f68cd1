"""How a freshly cloned process becomes a sandbox's first one: nothing of the fork server may be left in it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pytest_rewardkit.local.guest import descriptors, layout
from pytest_rewardkit.local.guest.guest import Guest
from pytest_rewardkit.local.guest.oom import OomScore
from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.local.guest.confinement import Confinement
    from pytest_rewardkit.local.guest.fork_calls import ForkCalls
    from pytest_rewardkit.local.guest.plan import IsolationPlan
    from pytest_rewardkit.local.guest.root import Root
    from pytest_rewardkit.local.guest.shell import Shell


@dataclass(frozen=True, slots=True)
class Template:
    """What all sandboxes of a fork server have in common.

    Parameters:
        plan: the layers that the sandboxes get.
        shell: the warm interpreter.
        own_root: the root that the fork server has entered, if any; it shows the host's /proc.
        environment: their environment.
        fork_calls: what modules want done in the sandboxes' kernels.
    """

    plan: IsolationPlan
    shell: Shell
    own_root: Root | None
    environment: Mapping[str, str]
    fork_calls: ForkCalls


def become(box: Confinement, channel: int, template: Template) -> NoReturn:
    """Become a sandbox's guest, in a freshly cloned process.

    Parameters:
        box: what the sandbox gets.
        channel: the descriptor of its connection to the server.
        template: what it has in common with other sandboxes.
    """
    # Nothing may leave this function: the fork server's own loop is above it on the stack.
    try:
        kept = [channel, box.link.fileno()]
        score = OomScore()
        if (descriptor := score.fileno()) is not None:
            kept.append(descriptor)
        if box.group is not None:
            # This comes first, because memory that was taken before does not count.
            box.group.enter()
        if box.kills is not None:
            kept += box.kills.descriptors
        descriptors.silence_stdio()
        descriptors.keep_only(kept)
        guest_channel = Channel(socket.socket(fileno=channel))
        try:
            _serve_as_guest(box, guest_channel, score, template)
        except BaseException as error:
            guest_channel.send({"event": "failed", "message": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _serve_as_guest(box: Confinement, channel: Channel, score: OomScore, template: Template) -> None:
    environment = {**template.environment, "HOME": layout.HOME}
    if not template.plan.guest_paths:
        environment |= {"HOME": box.directories.home, "TMPDIR": box.directories.temporary}
    box.confine(template.own_root)
    Guest(channel, box, score, template.shell, environment, template.fork_calls).serve()
