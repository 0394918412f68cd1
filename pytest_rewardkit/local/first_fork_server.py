"""The fork server that is there before its server: it says what isolation there is, and makes the first sandboxes.

To find out what isolation sandboxes get, a fork server has to do all that it does for them; so the one that was asked
is the one that is used. Imports little.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pytest_rewardkit.local.errors import NoSuchLevelError
from pytest_rewardkit.local.isolation import Isolation
from pytest_rewardkit.local.server.launch import STANDARD_ERROR, ended_early, launch, options_after
from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.local.server.launch import ForkServerProcess
    from pytest_rewardkit.local.wire.frames import Message

_BOOT_SECONDS = 20.0
_END_SECONDS = 5.0


class FirstForkServer:
    """Boots a fork server at once; where a plan does not work, another one in its place, when it is asked.

    Parameters:
        options: options of the fork server.
        log: a descriptor for what it says to people.
    """

    def __init__(self, options: Sequence[str], *, log: int = STANDARD_ERROR) -> None:
        self._options = list(options)
        self._log = log
        # Whoever waits for an answer, and whoever takes the fork server away, may be different threads.
        self._lock = threading.Lock()
        self._booting: ForkServerProcess | None = launch(self._options, log=log)
        self._found: Isolation | NoSuchLevelError | None = None
        self._taken: ForkServerProcess | None = None

    def isolation(self) -> Isolation:
        """What the fork server has found out, which is waited for.

        Raises:
            NoSuchLevelError: there can be no sandboxes.
        """
        with self._lock:
            if self._found is None:
                self._found = self._examine()
        if isinstance(self._found, NoSuchLevelError):
            raise self._found
        return self._found

    def take(self) -> ForkServerProcess | None:
        """Hand the fork server over, which may boot still; None where it is not there any more.

        The socket is the taker's from then on. The process stays this one's child.
        """
        with self._lock:
            launched, self._booting = self._booting, None
            self._taken = self._taken or launched
            return launched

    def end(self) -> None:
        """End the fork server if nobody has taken it, and wait for its end in any case, though not for ever."""
        with self._lock:
            launched, self._booting = self._booting, None
            if launched is not None:
                _end(launched)
            elif self._taken is not None:
                _wait(self._taken)

    def _examine(self) -> Isolation | NoSuchLevelError:
        failed: dict[str, str] = {}
        while True:
            if self._booting is None:
                self._booting = launch([*self._options, *options_after(failed)], log=self._log)
            message = _first_word(self._booting)
            if message["event"] == "ready":
                self._booting = replace(self._booting, said=(message,))
                return Isolation.from_message(message)
            _end(self._booting)
            self._booting = None
            plan = message.get("plan")
            if plan is None or plan in failed:
                return NoSuchLevelError(str(message.get("message")))
            failed[str(plan)] = str(message.get("message"))


def _first_word(launched: ForkServerProcess) -> Message:
    """Return whether it is ready; if it is not, why, and what it tried."""
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
        launched.sock.settimeout(None)
    return {"event": "failed", "message": ended_early(_status(launched)), **trying}


def _status(launched: ForkServerProcess) -> int | None:
    _wait(launched)
    return launched.process.wait()


def _end(launched: ForkServerProcess) -> None:
    # Not only closed: a process that was forked meanwhile may have the socket too.
    with contextlib.suppress(OSError):
        launched.sock.shutdown(socket.SHUT_RDWR)
    launched.sock.close()
    _wait(launched)


def _wait(launched: ForkServerProcess) -> None:
    process = cast("subprocess.Popen[bytes]", launched.process)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
