"""The first process of a sandbox: starts and reaps the others, and serves the server's requests about files.

It runs no candidate's code. It ends when the server closes the channel; in a process namespace everything ends with
it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import traceback
import warnings
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.errors import Code, RequestError
from pytest_rewardkit.local.guest import confinement, descriptors, kernel, languages, layout, own_packages, syscalls
from pytest_rewardkit.local.guest.events import ChildSignals
from pytest_rewardkit.local.guest.file_requests import FileRequests
from pytest_rewardkit.local.guest.files import SandboxFiles
from pytest_rewardkit.local.guest.language_kernel import LanguageKernel
from pytest_rewardkit.local.guest.locks import MAX_WATCHING
from pytest_rewardkit.local.guest.paths import Paths
from pytest_rewardkit.local.guest.processes import ProgramStart, Starter
from pytest_rewardkit.local.guest.translation import Translator

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.local.guest.file_requests import Reply
    from pytest_rewardkit.local.guest.fork_calls import ForkCalls
    from pytest_rewardkit.local.guest.oom import OomScore
    from pytest_rewardkit.local.guest.shell import Shell
    from pytest_rewardkit.local.wire.channel import Channel
    from pytest_rewardkit.local.wire.frames import Frame, Message

_PYTHON: Final = "python"
_KERNEL_DESCRIPTORS: Final = 4
_COMMAND_DESCRIPTORS: Final = 3

_NOTICE_SECONDS: Final = 1.0


class Guest:
    """Serves one sandbox.

    Parameters:
        channel: the connection to the server.
        box: what the sandbox got, with the connection to the fork server.
        score: decides how soon this process is ended when memory runs out.
        shell: the warm interpreter that kernels are forked with.
        environment: the environment of every process of the sandbox.
        fork_calls: what modules want done in kernels.
    """

    def __init__(
        self,
        channel: Channel,
        box: confinement.Confinement,
        score: OomScore,
        shell: Shell,
        environment: dict[str, str],
        fork_calls: ForkCalls,
    ) -> None:
        self._channel = channel
        self._link = box.link
        self._kills = box.kills
        self._has_group = box.group is not None
        self._plan = box.plan
        self._files = SandboxFiles(box.directories)
        self._translator = _translator(box)
        self._starter = Starter(box.plan, box.limits, self._translator, box.candidates_rules)
        self._score = score
        self._shell = shell
        self._environment = environment
        self._fork_calls = fork_calls
        self._children: set[int] = set()
        self._ended_for_memory: set[int] = set()
        self._poll = select.poll()
        self._file_requests = FileRequests(self._files, self._poll)
        self._operations: dict[str, Callable[[Message, tuple[int, ...]], Reply]] = {
            "kernel": self._kernel,
            "start": self._start,
            "signal": self._signal,
            "socket": self._socket,
            **self._file_requests.operations,
        }

    def serve(self) -> None:
        """Serve until the server closes the channel."""
        ended = ChildSignals()
        for source in (self._channel, ended, self._link):
            self._poll.register(source, select.POLLIN)
        self._channel.send({"event": "ready"})
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._link.fileno() in ready and not self._heed_fork_server():
                return
            if ended.fileno() in ready:
                ended.clear()
                self._reap()
            for event in self._file_requests.events(ready):
                # An event that is too large for a frame is lost, as when the kernel's queue is full.
                with contextlib.suppress(ValueError):
                    self._channel.send(event)
            if self._channel.fileno() in ready:
                frames = self._channel.receive_available()
                if frames is None:
                    return
                for frame in frames:
                    self._handle(frame)

    def _handle(self, frame: Frame) -> None:
        sent: list[int] = []
        try:
            operation = self._operations.get(str(frame.message.get("op")))
            if operation is None:
                raise RequestError(Code.INVALID_ARGUMENT, f"unknown operation {frame.message.get('op')!r}")
            result, sent = operation(frame.message, frame.descriptors)
            answer: Message = {"ok": result}
        except RequestError as error:
            answer = {"error": error.answer()}
        except Exception as error:
            # No state of the sandbox may end its guest.
            message = "".join(traceback.format_exception_only(error)).strip()
            answer = {"error": RequestError(Code.INTERNAL, message).answer()}
        finally:
            frame.close()
        number = frame.message.get("id")
        try:
            self._channel.send({"id": number, **answer}, sent)
        except ValueError as error:
            too_large = RequestError(Code.RESOURCE_EXHAUSTED, f"the answer cannot be sent: {error}")
            self._channel.send({"id": number, "error": too_large.answer()})
        finally:
            descriptors.close_all(sent)

    def _heed_fork_server(self) -> bool:
        word = self._link.recv(1)
        if word == confinement.MEMORY_EXCEEDED:
            self._ended_for_memory |= self._children
            if self._plan.process_namespace:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            self._reap(options=0)
            if self._kills is not None:
                self._kills.risen()  # it is accounted for
            self._link.sendall(confinement.MEMORY_FREED)
        return bool(word)

    def _await_fork_server(self) -> None:
        """Heed the fork server's next message before the server starts anything new in this sandbox."""
        if descriptors.is_readable(self._link.fileno(), _NOTICE_SECONDS):
            self._heed_fork_server()

    def _reap(self, options: int = os.WNOHANG) -> None:
        """Take note of every child that has ended; without `options`, wait until all have."""
        while True:
            try:
                # Without the lock, a child that the translator holds would count as one that has ended.
                with self._translator.nobody_held if self._translator is not None else contextlib.nullcontext():
                    pid, status = os.waitpid(-1, options)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            exceeded = pid in self._ended_for_memory
            if not exceeded and code == -signal.SIGKILL and self._kills is not None:
                exceeded = self._kills.risen()
            if not exceeded and self._suffers(code):
                self._link.sendall(confinement.MACHINE_LACKS)  # then the child's exit status means nothing
                continue
            if pid in self._children:
                event: Message = {"event": "exit", "pid": pid, "status": code}
                self._channel.send({**event, "reason": "memory"} if exceeded else event)
            self._children.discard(pid)
            if exceeded and pid not in self._ended_for_memory:
                self._await_fork_server()
            self._ended_for_memory.discard(pid)

    def _suffers(self, code: int) -> bool:
        """Whether the kernel has ended a process here, perhaps not this one, for memory that others took."""
        if self._kills is None or not self._kills.risen_for_others():
            return False
        return self._has_group or code == -signal.SIGKILL

    def _kernel(self, message: Message, received: tuple[int, ...]) -> Reply:
        _expect(received, _KERNEL_DESCRIPTORS)
        directory = self._directory(message)
        environment = self._merged_environment(message)
        serve = self._kernel_of(message.get("language", _PYTHON), directory, environment)
        with self._score:
            with self._starting:
                pid = os.fork() if self._translator is not None else syscalls.fork()
            if pid == 0:
                kernel.run(received, self._starter.confine, self._fork_calls, serve)
        self._children.add(pid)
        return {"pid": pid}, []

    def _kernel_of(self, name: object, directory: str, environment: dict[str, str]) -> Callable[[Channel, int], None]:
        if name == _PYTHON:
            return lambda channel, taken: kernel.PythonKernel(
                self._shell, channel, taken, directory, environment
            ).serve()
        language, program = languages.find(name, self._environment["PATH"])
        return lambda channel, _: LanguageKernel(language, program, channel, directory, environment).serve()

    def _start(self, message: Message, received: tuple[int, ...]) -> Reply:
        arguments = [message.get("cmd"), *message.get("args", [])]
        if not all(isinstance(argument, str) for argument in arguments) or not arguments[0]:
            raise RequestError(Code.INVALID_ARGUMENT, f"not a command: {arguments!r}")
        command = ProgramStart(arguments, self._merged_environment(message), self._directory(message))
        with self._score, self._starting:
            if "pty" in message:
                pid, terminal = self._starter.start_in_terminal(command, message["pty"])
                sent = [terminal]
            else:
                _expect(received, _COMMAND_DESCRIPTORS)
                pid, sent = self._starter.start(command, received), []
        self._children.add(pid)
        return {"pid": pid}, sent

    @property
    def _starting(self) -> contextlib.AbstractContextManager[object]:
        """Prepare for a process that is about to be forked from this one."""
        if self._translator is None:
            return contextlib.nullcontext()
        self._translator.start()
        # Python 3.12 warns of forks beside threads, but the translator's thread holds no lock that a child could need.
        return warnings.catch_warnings(action="ignore", category=DeprecationWarning)

    def _signal(self, message: Message, _: tuple[int, ...]) -> Reply:
        pid = message.get("pid")
        if not isinstance(pid, int) or pid not in self._children:
            raise RequestError(Code.NOT_FOUND, f"no process {pid!r}")
        try:
            number = signal.Signals(message["signal"])
        except (KeyError, ValueError) as error:
            raise RequestError(Code.INVALID_ARGUMENT, f"not a signal: {message.get('signal')!r}") from error
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if message.get("group") else os.kill)(pid, number)
        return {}, []

    def _socket(self, message: Message, _: tuple[int, ...]) -> Reply:
        kind = socket.SOCK_DGRAM if message.get("datagrams") else socket.SOCK_STREAM
        try:
            return {}, [socket.socket(socket.AF_INET, kind).detach()]
        except OSError as error:
            raise RequestError(Code.FAILED_PRECONDITION, f"the sandbox has no network: {error.strerror}") from error

    def _directory(self, message: Message) -> str:
        path = message.get("cwd") or ""
        real = self._files.real_path(path)
        if not os.path.isdir(real):
            raise RequestError(Code.INVALID_ARGUMENT, f"cwd '{path}' does not exist")
        return real

    def _merged_environment(self, message: Message) -> dict[str, str]:
        given: Any = message.get("envs") or {}
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise RequestError(Code.INVALID_ARGUMENT, "envs must be an object of texts")
        for name, value in given.items():
            if not name or "=" in name or "\0" in name + value:
                raise RequestError(Code.INVALID_ARGUMENT, f"not an environment variable: {name!r}")
        environment = {**self._environment, **given}
        installed = os.path.isdir(self._files.real_path(own_packages.DIRECTORY))
        return {**environment, **own_packages.variables(environment)} if installed else environment


def _translator(box: confinement.Confinement) -> Translator | None:
    if box.waiting_program is None:
        return None
    paths = Paths(box.directories.top, layout.environment_paths())
    # If watches are counted for a user of the sandbox's own, the kernel's limit is enough.
    watching = None if box.plan.own_user_id else MAX_WATCHING
    visible = not box.plan.process_namespace
    return Translator(paths, box.waiting_program, guarded=box.plan.seccomp, watching=watching, visible=visible)


def _expect(received: tuple[int, ...], count: int) -> None:
    if len(received) != count:
        raise RequestError(Code.INVALID_ARGUMENT, f"{count} descriptors are needed, {len(received)} came")
