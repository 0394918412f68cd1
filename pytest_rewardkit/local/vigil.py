"""Watches the server's process for its owner: whether it lives and answers. Standard library only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable

_QUESTION = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_ANSWER = b"HTTP/1.1 200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server's owner waits for it.

    Parameters:
        boot: seconds until it answers for the first time.
        answer: seconds until it answers later; after that all of its sandboxes are lost.
        interval: seconds from an answer to the next question.
        end: seconds until it must have ended after it is told to; then it is killed.
        failures: how many servers in a row may end before their first answer; after that no other one is started.
    """

    boot: float = 120.0
    answer: float = 60.0
    interval: float = 5.0
    end: float = 10.0
    failures: int = 3


PATIENCE = Patience()


class HasDescriptor(Protocol):
    """Anything that can be waited for."""

    def fileno(self) -> int: ...


def readable(things: Iterable[HasDescriptor | int], timeout: float | None) -> set[int]:
    """The descriptors that can be read from, as soon as there is one, or after `timeout` seconds."""
    poll = select.poll()
    for thing in things:
        poll.register(thing, select.POLLIN)
    return {number for number, _ in poll.poll(None if timeout is None else max(timeout, 0) * 1000)}


class Vigil:
    """The watch over one process.

    Parameters:
        process: a server.
        port: the port of its control plane, on loopback.
        patience: how long it may take to answer.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, patience: Patience) -> None:
        self._process = process
        self._port = port
        self._patience = patience
        self._question: socket.socket | None = None
        self._due = time.monotonic()
        self.served = False
        """Whether it has ever answered."""

    def keep(self, wake: socket.socket) -> str | None:
        """Watch until the process has ended, or is killed because it does not answer.

        Parameters:
            wake: ends the watch when it becomes readable.

        Returns:
            The fate of the process; None if the watch was ended and the process lives.
        """
        ended = os.pidfd_open(self._process.pid)
        try:
            while True:
                if self._question is None and time.monotonic() >= self._due:
                    self._ask()
                asked = [] if self._question is None else [self._question]
                ready = readable([wake, ended, *asked], self._due - time.monotonic())
                if wake.fileno() in ready:
                    return None
                if ended in ready:
                    return _described(self._process.wait())
                if self._question is not None:
                    if self._question.fileno() in ready:
                        self._take_answer(self._question)
                    elif time.monotonic() >= self._due:
                        seconds = self._patience.answer if self.served else self._patience.boot
                        end(self._process, ended, self._patience.end)
                        return f"did not answer within {seconds:g} s, and was killed"
        finally:
            os.close(ended)
            self._forget_question()

    def _ask(self) -> None:
        question = self._question = socket.socket()
        question.setblocking(False)
        # Loopback connects at once, into the listener's queue, even if nobody serves the queue.
        question.connect_ex(("127.0.0.1", self._port))
        with contextlib.suppress(OSError):  # the queue is full, which equals no answer
            question.send(_QUESTION)
        self._due = time.monotonic() + (self._patience.answer if self.served else self._patience.boot)

    def _take_answer(self, question: socket.socket) -> None:
        try:
            answered = question.recv(len(_ANSWER)) == _ANSWER
        except OSError:
            answered = False
        self._forget_question()
        self.served = self.served or answered
        self._due = time.monotonic() + self._patience.interval

    def _forget_question(self) -> None:
        if self._question is not None:
            self._question.close()
            self._question = None


def end(process: subprocess.Popen[bytes], ended: int, seconds: float) -> None:
    """Kill a process and wait for its end, but not forever: a process that the kernel holds cannot be killed.

    Parameters:
        process: the process.
        ended: its descriptor, from `pidfd_open`.
        seconds: how long to wait.
    """
    process.kill()
    if readable([ended], seconds):
        process.wait()


def _described(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
