"""`run -- COMMAND`: runs a command against a server, which ends with the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from pytest_rewardkit.local.container.server import ContainerServer
    from pytest_rewardkit.local.handle import LocalServer


def run(command: Sequence[str], server: LocalServer | ContainerServer) -> int:
    """Run the command with the server's variables set, and stop the server afterwards.

    Parameters:
        command: a program and its arguments.
        server: the server that the variables lead to.

    Returns:
        The command's exit status; 128 plus the number of the signal that ended it; 127 or 126 if it could not be
        started, as in shells.
    """
    with server:
        try:
            process = subprocess.Popen(command, env={**os.environ, **server.environment()})
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return 127 if isinstance(error, FileNotFoundError) else 126

        def pass_on(number: int, _: FrameType | None) -> None:
            process.send_signal(number)

        # A terminal's Ctrl-C reaches the command directly, and the command's reaction decides.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for name in {"SIGTERM", "SIGHUP"} & signal.Signals.__members__.keys():  # Windows has no SIGHUP
            signal.signal(signal.Signals[name], pass_on)
        status = process.wait()
        if status != 0 and server.started and (log := server.log()):
            print(f"the local server's log:\n{log}", file=sys.stderr)
    return status if status >= 0 else 128 - status
