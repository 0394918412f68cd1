"""A kernel of another language: a process between the server's channel and a program that runs cells."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.guest import syscalls
from pytest_rewardkit.local.guest.kernel import MAX_RESULT_BYTES, shortened

if TYPE_CHECKING:
    from pytest_rewardkit.local.guest.languages import ContextLanguage
    from pytest_rewardkit.local.wire.channel import Channel
    from pytest_rewardkit.local.wire.frames import Message

_CHUNK: Final = 2**16
_FIELDS: Final = {"result": ("data", "main"), "error": ("name", "value", "traceback"), "end": ()}


class LanguageKernel:
    """Takes execute requests from the server, has the program run them, and sends back the results.

    The program is in this process's group, so the server's signals, which go to the group, reach it too.

    Parameters:
        language: how to talk to the program.
        program: the program's path.
        channel: the connection to the server.
        directory: its working directory.
        environment: its whole environment.
    """

    def __init__(
        self, language: ContextLanguage, program: str, channel: Channel, directory: str, environment: dict[str, str]
    ) -> None:
        self._language = language
        self._channel = channel
        self._number: Any = None
        self._count = 0
        self._received = b""
        signal.signal(signal.SIGINT, lambda *_: None)
        theirs, self._cells = os.pipe()
        self._events, events = os.pipe()
        self._process = subprocess.Popen(
            [program, *language.arguments(theirs, events)],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs, events),
            cwd=directory,
            env=environment,
            preexec_fn=_end_with_parent,
        )
        os.close(theirs)
        os.close(events)

    def serve(self) -> None:
        """Serve until the server closes the channel or the program ends."""
        ended = os.pidfd_open(self._process.pid)
        poll = select.poll()
        for source in (self._channel, self._events, ended):
            poll.register(source, select.POLLIN)
        self._channel.send({"event": "ready"})
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._events in ready and not self._take_events():
                poll.unregister(self._events)
            elif ended in ready:
                self._end()
                return
            if self._channel.fileno() in ready:
                frames = self._channel.receive_available()
                if frames is None:
                    return
                for frame in frames:
                    frame.close()
                    self._execute(frame.message)

    def _execute(self, request: Message) -> None:
        self._number = request.get("id")
        if not request.get("silent"):
            self._count += 1
        try:
            cell = memoryview(self._language.encode(request["code"], request.get("envs") or {}))
        except ValueError as error:
            self._emit("error", name="ValueError", value=str(error), traceback="")
            self._emit("end")
            return
        try:
            while cell:
                cell = cell[os.write(self._cells, cell) :]
        except BrokenPipeError:
            return  # the program has ended, or is about to

    def _take_events(self) -> bool:
        data = os.read(self._events, _CHUNK)
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            if self._number is None:
                break  # a process of an earlier cell has written to a descriptor that is not its own
            event = json.loads(line)
            self._emit(event["event"], **{name: event[name] for name in _FIELDS[event["event"]]})
        if len(self._received) > MAX_RESULT_BYTES:
            raise ValueError("the interpreter's event is too long")
        return bool(data)

    def _end(self) -> None:
        status = self._process.wait()
        if status < 0:
            # As if the kernel were killed: the server notices.
            os._exit(1)
        if self._number is not None:
            if status:
                self._emit("error", name="ExitStatus", value=str(status), traceback=f"exit status {status}")
            self._emit("end", last=True)

    def _emit(self, event: str, **fields: Any) -> None:
        message = {"id": self._number, "event": event, **fields}
        if event == "end":
            message["execution_count"] = self._count + 1
            self._number = None
        try:
            self._channel.send(message)
        except ValueError:
            self._channel.send(shortened(message))
            sys.stderr.flush()


def _end_with_parent() -> None:
    syscalls.set_parent_death_signal(signal.SIGKILL)
