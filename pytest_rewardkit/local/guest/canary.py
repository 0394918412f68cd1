"""A trial sandbox that is given to nobody: it shows what all sandboxes can do, and what their level lacks here."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import textwrap
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import CanaryError
from pytest_rewardkit.local.guest import layout
from pytest_rewardkit.local.guest.resource_limits import ResourceLimits
from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    from pytest_rewardkit.local.wire.frames import Message

NAME: Final = "canary"
# No limit on processes: at some levels, the user's unrelated processes count too.
LIMITS: Final = ResourceLimits(memory_mb=512, disk_mb=16, open_files=256)

_CELL: Final = """
    import os
    for directory in {directories}:
        path = os.path.join(os.path.expandvars(directory), "canary")
        with open(path, "w") as file:
            file.write("alive")
        with open(path) as file:
            print(file.read())
        os.remove(path)
"""
_OWN_DIRECTORIES: Final = (layout.HOME, layout.TEMPORARY)
_DIRECTORIES_BY_NAME: Final = ("$HOME", "$TMPDIR")
_MAX_OUTPUT: Final = 65536


class Canary:
    """The server's ends of a sandbox, and of an interpreter in it that runs a cell.

    It sends all requests at once, as the server may do.

    Parameters:
        guest_paths: whether code finds the sandbox's own `/home/user` and `/tmp`.
    """

    def __init__(self, *, guest_paths: bool) -> None:
        self._directories = _OWN_DIRECTORIES if guest_paths else _DIRECTORIES_BY_NAME
        ours, self._guests_end = socket.socketpair()
        self._guest = Channel(ours)
        ours, self._kernels_end = socket.socketpair()
        self._kernel = Channel(ours)
        self._output, self._outputs_end = os.pipe()
        self._takens_end, self._taken = os.pipe()
        os.set_blocking(self._output, False)
        self.done = False
        """Whether the cell has been run."""

    def send(self) -> None:
        """Ask for an interpreter, and for the cell to be run."""
        outputs = self._outputs_end
        ends = [self._kernels_end.fileno(), outputs, outputs, self._takens_end]
        with contextlib.suppress(ConnectionError):  # it has failed already, and said why
            self._guest.send({"id": 1, "op": "kernel"}, ends)
        code = textwrap.dedent(_CELL.format(directories=self._directories))
        self._kernel.send({"id": 1, "op": "execute", "code": code, "envs": None, "silent": False})

    @property
    def guests_end(self) -> int:
        """The descriptor that the sandbox is given."""
        return self._guests_end.fileno()

    def watch(self, poll: select.poll) -> None:
        """Have `poll` report what :meth:`heed` takes."""
        # Only the sandbox may hold its end, or its end would go unnoticed.
        self._guests_end.close()
        self._kernels_end.close()
        os.close(self._outputs_end)
        os.close(self._takens_end)
        poll.register(self._guest, select.POLLIN)
        poll.register(self._kernel, select.POLLIN)

    def heed(self, descriptor: int) -> None:
        """Take what `poll` has reported.

        Raises:
            CanaryError: the sandbox has failed.
        """
        if descriptor in (self._guest.fileno(), self._kernel.fileno()):
            # If the guest has failed, its interpreter is gone too, and that says less.
            self._take(self._guest, "it has ended")
            self._take(self._kernel, "its interpreter has ended")

    def close(self, poll: select.poll) -> None:
        """Let go of the sandbox, which then ends."""
        for channel in (self._guest, self._kernel):
            poll.unregister(channel)
            channel.close()
        os.close(self._output)
        os.close(self._taken)

    def _take(self, channel: Channel, end: str) -> None:
        frames = channel.receive_available()
        if frames is None:
            raise CanaryError(f"{end}{self._written()}")
        for frame in frames:
            frame.close()
            self._judge(frame.message)

    def _judge(self, message: Message) -> None:
        match message:
            case {"event": "failed", "message": reason}:
                raise CanaryError(str(reason))
            case {"error": {"message": reason}}:
                raise CanaryError(f"its interpreter could not be started: {reason}")
            case {"event": "error", "name": name, "value": value}:
                raise CanaryError(f"{name}: {value}")
            case {"event": "end"}:
                written = self._read()
                if written.split() != ["alive"] * len(self._directories):
                    raise CanaryError(f"a cell wrote {written!r}")
                self.done = True

    def _written(self) -> str:
        lines = self._read().strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    def _read(self) -> str:
        try:
            return os.read(self._output, _MAX_OUTPUT).decode(errors="replace")
        except BlockingIOError:
            return ""
