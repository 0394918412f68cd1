"""The fork server that starts before its server: it reports the isolation, and makes the first sandboxes.

To find out which isolation sandboxes get, a fork server has to do all that it does for them. So the one that answers
this question is also used for sandboxes. Imports little.
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

_BOOT_SECONDS = 120.0
"""As in wire/bounds.py, which takes longer to import."""
_END_SECONDS = 5.0


class FirstForkServer:
    """Boots a fork server at once; if a plan does not work, another one replaces it when the isolation is queried.

    Parameters:
        options: options of the fork server.
        log: a descriptor for its messages to people.
    """

    def __init__(self, options: Sequence[str], *, log: int = STANDARD_ERROR) -> None:
        self._options = list(options)
        self._log = log
        # One thread may wait for an answer while another takes the fork server away.
        self._lock = threading.Lock()
        self._booting: ForkServerProcess | None = launch(self._options, log=log)
        self._found: Isolation | NoSuchLevelError | None = None
        self._taken: ForkServerProcess | None = None

    def isolation(self) -> Isolation:
        """The fork server's findings; waits for them.

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
        """Hand over the fork server, which may still be booting; None if it is gone.

        From then on the caller owns the socket. The process remains this process's child.
        """
        with self._lock:
            launched, self._booting = self._booting, None
            self._taken = self._taken or launched
            return launched

    def end(self) -> None:
        """End the fork server if nobody has taken it; in any case wait for its end, but not forever."""
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
    """Return whether it is ready; if not, why, and the plan that it tried."""
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
    # Closing it is not enough: a process that was forked meanwhile may have the socket too.
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
