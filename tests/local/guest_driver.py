"""Drives the fork server over its channel, as the local server does, without HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.wire.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 120.0
"""Seconds until a missing answer is an error; nothing else here waits that long."""

MODULE = ("-I", "-m", "pytest_rewardkit.local.guest")

LIMITS = {"memory_mb": 1024, "processes": 100, "disk_mb": 64, "open_files": 512}

LEAVES_A_DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
"""


class RequestFailedError(Exception):
    """An error answer to a request."""

    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Connection:
    """A channel that carries requests and collects events."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        ours.settimeout(TIMEOUT)
        self.channel = Channel(ours)
        self.events: list[dict[str, Any]] = []
        self._number = 0

    def send(self, operation: str, descriptors: Sequence[int] = (), **fields: Any) -> int:
        self._number += 1
        self.channel.send({"id": self._number, "op": operation, **fields}, descriptors)
        return self._number

    def answer(self, number: int) -> tuple[dict[str, Any], tuple[int, ...]]:
        while True:
            frame = self.channel.receive()
            if frame is None:
                raise EOFError(f"closed; events: {self.events}")
            if frame.message.get("id") != number:
                self.events.append(frame.message)
            elif "error" in frame.message:
                raise RequestFailedError(frame.message["error"])
            else:
                return frame.message["ok"], frame.descriptors

    def request(self, operation: str, descriptors: Sequence[int] = (), **fields: Any) -> dict[str, Any]:
        return self.answer(self.send(operation, descriptors, **fields))[0]

    def event(self, name: str, **fields: Any) -> dict[str, Any]:
        """Wait for an event with these fields, and remove it."""
        wanted = {"event": name, **fields}
        while True:
            for position, event in enumerate(self.events):
                if wanted.items() <= event.items():
                    return self.events.pop(position)
            frame = self.channel.receive()
            if frame is None:
                raise EOFError(f"closed; events: {self.events}")
            self.events.append(frame.message)


class ForkServer(Connection):
    """A fork server process."""

    def __init__(self, *arguments: str, command: Sequence[str] = (sys.executable, *MODULE), **environment: str) -> None:
        super().__init__()
        self.process = subprocess.Popen(
            [*command, "--fd", str(self.theirs.fileno()), *arguments],
            pass_fds=[self.theirs.fileno()],
            env={"PATH": os.defpath, "LANG": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL,
        )
        self.command = command
        self.theirs.close()
        self._sandboxes = 0
        self.greeting = self._greeting()
        self.pid = min(processes_below(self.process.pid), default=self.process.pid)
        """The fork server itself: at levels without process namespaces, `process` is its keeper."""

    def _greeting(self) -> dict[str, Any]:
        while (frame := self.channel.receive()) is not None:
            if frame.message["event"] != "trying":
                return frame.message
        raise EOFError("the fork server ended before it was ready")

    def spawn(self, **limits: int | None) -> Box:
        self._sandboxes += 1
        box = Box(self)
        answer = self.request(
            "spawn",
            [box.theirs.fileno()],
            sandbox=f"box{self._sandboxes}",
            limits={**LIMITS, **limits},
        )
        box.theirs.close()
        box.pid = answer["pid"]
        return box

    def kill(self, box: Box) -> None:
        self.request("kill", pid=box.pid)
        self.event("exit", pid=box.pid)

    def close(self) -> int:
        self.channel.close()
        return self.process.wait(TIMEOUT)

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Box(Connection):
    """One sandbox."""

    def __init__(self, fork_server: ForkServer) -> None:
        super().__init__()
        self.fork_server = fork_server
        self.pid = 0
        self._kernels: list[Kernel] = []

    def kernel(self, **fields: Any) -> Kernel:
        kernel = Kernel()
        self._kernels.append(kernel)
        ends = [kernel.theirs.fileno(), kernel.stdout_end, kernel.stderr_end, kernel.taken_end]
        kernel.pid = self.request("kernel", ends, **fields)["pid"]
        kernel.theirs.close()
        os.close(kernel.stdout_end)
        os.close(kernel.stderr_end)
        os.close(kernel.taken_end)
        first = kernel.channel.receive()
        assert first is not None, f"the kernel ended before it was ready: {kernel.output()}"
        assert first.message == {"event": "ready"}
        return kernel

    def run(self, command: str, **fields: Any) -> tuple[str, int]:
        """Run a shell command to its end; return what it wrote to both outputs, and its status."""
        reader, writer = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        arguments = {"cmd": "/bin/bash", "args": ["-l", "-c", command], **fields}
        try:
            pid = self.request("start", [null, writer, writer], **arguments)["pid"]
        except RequestFailedError:
            os.close(reader)
            raise
        finally:
            os.close(null)
            os.close(writer)
        with os.fdopen(reader, "rb") as output:
            text = output.read().decode()
        return text, self.event("exit", pid=pid)["status"]

    def write(self, path: str, content: bytes, **fields: Any) -> dict[str, Any]:
        answer, (descriptor,) = self.answer(self.send("open", path=path, mode="w", **fields))
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return answer["entry"]

    def read(self, path: str) -> bytes:
        _, (descriptor,) = self.answer(self.send("open", path=path, mode="r"))
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def kill(self) -> None:
        self.fork_server.kill(self)
        self.close()

    def close(self) -> None:
        self.channel.close()
        for kernel in self._kernels:
            kernel.close()

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Outcome:
    """What one cell did."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []
        self.main: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self.errors = 0
        self.count = 0
        self.ended: dict[str, Any] | None = None
        self.stdout = ""
        self.stderr = ""

    @property
    def text(self) -> str:
        assert self.error is None, self.error
        assert self.main is not None, (self.stdout, self.stderr)
        return self.main["text/plain"]


class Kernel:
    """One kernel, with its pipes."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        ours.settimeout(TIMEOUT)
        self.channel = Channel(ours)
        self.stdout, self.stdout_end = os.pipe()
        self.stderr, self.stderr_end = os.pipe()
        self.taken_end, self.taken = os.pipe()
        os.set_blocking(self.stdout, False)
        os.set_blocking(self.stderr, False)
        self.pid = 0
        self._number = 0
        self._count = 1

    def start(self, code: str, **fields: Any) -> None:
        self._number += 1
        self.channel.send({"op": "execute", "id": self._number, "code": code, "envs": None, "silent": False, **fields})

    def finish(self) -> Outcome:
        """Collect output until the cell ends, or the kernel ends (then `ended` stays None)."""
        outcome = Outcome()
        while outcome.ended is None:
            frame = self.channel.receive()
            if frame is None:
                break
            message = frame.message
            assert message["id"] == self._number
            match message["event"]:
                case "result":
                    outcome.results.append(message["data"])
                    if message["main"]:
                        outcome.main = message["data"]
                    else:
                        os.write(self.taken, b"\0")
                case "error":
                    outcome.error = message
                    outcome.errors += 1
                case "end":
                    outcome.ended = message
                    outcome.count, self._count = self._count, message["execution_count"]
        outcome.stdout, outcome.stderr = self.output()
        return outcome

    def run(self, code: str, **fields: Any) -> Outcome:
        self.start(code, **fields)
        return self.finish()

    def output(self) -> tuple[str, str]:
        return _drain(self.stdout), _drain(self.stderr)

    def close(self) -> None:
        if self.pid:
            self.pid = 0
            self.channel.close()
            os.close(self.stdout)
            os.close(self.stderr)
            os.close(self.taken)


def _drain(descriptor: int) -> str:
    data = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except BlockingIOError:
            break
        if not chunk:
            break
        data += chunk
    return data.decode()


def processes_below(pid: int) -> list[int]:
    """Return the living processes below one, as the host sees them."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found: list[int] = []
    pending = [pid]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found


def evaluate(kernel: Kernel, code: str) -> Any:
    """Run the code; return the value of its last expression, which must be plain data."""
    outcome = kernel.run(textwrap.dedent(code))
    assert outcome.error is None, outcome.error["traceback"]
    return eval(outcome.main["text/plain"], {})
