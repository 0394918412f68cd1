"""`process.Process`: commands and terminals in a sandbox, with envd's interface."""

from __future__ import annotations

import asyncio
import base64
import binascii
import signal
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.api import connect
from pytest_rewardkit.local.api.errors import ConnectError
from pytest_rewardkit.local.api.paths import resolve
from pytest_rewardkit.local.api.pip_hint import PipHint
from pytest_rewardkit.local.errors import Code, GuestError
from pytest_rewardkit.local.server.process import Command, Ended, Output, Process, TerminalSize

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

    from aiohttp import web

    from pytest_rewardkit.local.api.connect import Message
    from pytest_rewardkit.local.server.guest_proxy import GuestProxy
    from pytest_rewardkit.local.server.process import Event
    from pytest_rewardkit.local.server.sandbox import Sandbox
    from pytest_rewardkit.local.server.subscription import Subscription

KILL_SECONDS = 1.0
SIGNALS = {"SIGNAL_SIGKILL": signal.SIGKILL, "SIGNAL_SIGTERM": signal.SIGTERM, 9: signal.SIGKILL, 15: signal.SIGTERM}


class ProcessService:
    """The RPCs of envd's process service."""

    def __init__(self) -> None:
        self._unary: dict[str, Callable[[Sandbox, Message], Awaitable[Message]]] = {
            "List": _list,
            "SendInput": _send_input,
            "CloseStdin": _close_stdin,
            "SendSignal": _send_signal,
            "Update": _update,
        }

    async def handle(self, request: web.BaseRequest, sandbox: Sandbox, method: str) -> web.StreamResponse:
        """Answer a call of `method`."""
        if method in ("Start", "Connect"):
            return await connect.answer_stream(request, _events(request, sandbox, method))
        if method == "StreamInput":
            return await connect.answer_stream(request, _stream_input(request, sandbox))

        async def call(message: Message) -> Message:
            serve = self._unary.get(method)
            if serve is None:
                raise ConnectError(Code.UNIMPLEMENTED, f"the local server does not serve process.{method}")
            return await serve(sandbox, message)

        return await connect.answer_unary(request, call)


async def _events(request: web.BaseRequest, sandbox: Sandbox, method: str) -> AsyncIterator[Iterable[Message]]:
    guest = sandbox.guest
    deadline = connect.deadline_of(request)
    end = asyncio.get_running_loop().time() + deadline if deadline is not None else None
    message = await connect.read_one(request)
    if method == "Start":
        process, subscription = await _start(sandbox, message, deadline)
    else:
        process = _find(guest, message)
        subscription = process.subscribe()
    try:
        yield [_event("start", {"pid": process.pid})]
        hint = PipHint(" ".join(process.command.args), internet=sandbox.request.internet)
        async for batch in _listen(subscription, connect.keepalive_of(request), end, hint):
            yield batch
        if not subscription.ended:
            raise ConnectError(Code.DEADLINE_EXCEEDED, "the command took longer than its timeout")
    finally:
        process.unsubscribe(subscription)


async def _listen(
    subscription: Subscription[Event], keepalive: float, end: float | None, hint: PipHint
) -> AsyncIterator[list[Message]]:
    """Batches of events until the process ends or time `end`; a keepalive after each silence of `keepalive`."""
    loop = asyncio.get_running_loop()
    while not subscription.ended:
        left = end - loop.time() if end is not None else keepalive
        if left <= 0:
            return
        events = await subscription.take(min(left, keepalive))
        if events:
            yield [message for event in events for message in _messages(event, hint)]
        elif left >= keepalive:
            yield [_event("keepalive", {})]


async def _start(sandbox: Sandbox, message: Message, time_limit: float | None) -> tuple[Process, Subscription[Event]]:
    try:
        return await sandbox.guest.processes.start(_command(sandbox, message, time_limit))
    except GuestError as error:
        if error.code == Code.NOT_FOUND:
            # The command or its directory is missing, and both are the caller's arguments.
            raise ConnectError(Code.INVALID_ARGUMENT, error.message) from error
        raise


async def _stream_input(request: web.BaseRequest, sandbox: Sandbox) -> AsyncIterator[Iterable[Message]]:
    process: Process | None = None
    async for message in connect.read_messages(request):
        if "start" in message:
            process = _find(sandbox.guest, _part(message, "start"))
        elif "data" in message:
            if process is None:
                raise ConnectError(Code.INVALID_ARGUMENT, "data came before start")
            await _write(process, _part(message, "data"))
    yield [{}]


async def _list(sandbox: Sandbox, _: Message) -> Message:
    return {"processes": [_description(process) for process in sandbox.guest.processes.running]}


async def _send_input(sandbox: Sandbox, message: Message) -> Message:
    await _write(_find(sandbox.guest, message), message)
    return {}


async def _close_stdin(sandbox: Sandbox, message: Message) -> Message:
    process = _find(sandbox.guest, message)
    if process.command.terminal is not None:
        raise ConnectError(Code.FAILED_PRECONDITION, "a terminal's input cannot be closed; send Ctrl+D (0x04) instead")
    process.close_stdin()
    return {}


async def _send_signal(sandbox: Sandbox, message: Message) -> Message:
    process = _find(sandbox.guest, message)
    number = SIGNALS.get(message.get("signal", ""))
    if number is None:
        raise ConnectError(Code.UNIMPLEMENTED, "only SIGKILL and SIGTERM can be sent")
    if process.ended is not None:
        raise ConnectError(Code.NOT_FOUND, f"process with pid {process.pid} has ended")
    await sandbox.guest.signal(process.pid, number)
    if number == signal.SIGKILL:
        # A client that has killed it wants to see it gone.
        await process.wait(KILL_SECONDS)
    return {}


async def _update(sandbox: Sandbox, message: Message) -> Message:
    process = _find(sandbox.guest, message)
    size = _terminal(message)
    if size is not None:
        if process.command.terminal is None:
            raise ConnectError(Code.FAILED_PRECONDITION, "the process has no terminal")
        process.resize(size)
    return {}


async def _write(process: Process, message: Message) -> None:
    data = _part(message, "input")
    kind = "pty" if process.command.terminal is not None else "stdin"
    if kind not in data and data:
        raise ConnectError(Code.FAILED_PRECONDITION, f"the process takes its input as {kind}")
    try:
        await process.write(base64.b64decode(data.get(kind, ""), validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        raise ConnectError(Code.INVALID_ARGUMENT, "input must be base64") from error
    except BrokenPipeError as error:
        raise ConnectError(Code.FAILED_PRECONDITION, str(error)) from error


def _find(guest: GuestProxy, message: Message) -> Process:
    selector = _part(message, "process")
    if "pid" in selector:
        pid = selector["pid"]
        process = guest.processes.get(pid) if isinstance(pid, int) else None
        if process is None:
            raise ConnectError(Code.NOT_FOUND, f"process with pid {pid} not found")
        return process
    tag = selector.get("tag")
    for process in guest.processes.running:
        if process.command.tag is not None and process.command.tag == tag:
            return process
    raise ConnectError(Code.NOT_FOUND, f"process with tag {tag} not found")


def _command(sandbox: Sandbox, message: Message, time_limit: float | None) -> Command:
    process = _part(message, "process")
    cmd, args, envs = process.get("cmd", ""), process.get("args", []), process.get("envs", {})
    if not isinstance(cmd, str) or not cmd:
        raise ConnectError(Code.INVALID_ARGUMENT, "cmd must be a text")
    if not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        raise ConnectError(Code.INVALID_ARGUMENT, "args must be texts")
    if not isinstance(envs, dict) or not all(isinstance(value, str) for value in envs.values()):
        raise ConnectError(Code.INVALID_ARGUMENT, "envs must be texts by name")
    cwd, tag = process.get("cwd", ""), message.get("tag")
    if not isinstance(cwd, str) or not (tag is None or isinstance(tag, str)):
        raise ConnectError(Code.INVALID_ARGUMENT, "cwd and tag must be texts")
    return Command(
        cmd=cmd,
        args=args,
        envs={**sandbox.request.envs, **envs},
        cwd=resolve(cwd),
        tag=tag,
        stdin=message.get("stdin", True) is not False,
        terminal=_terminal(message),
        time_limit=time_limit,
    )


def _terminal(message: Message) -> TerminalSize | None:
    if "pty" not in message:
        return None
    size = _part(_part(message, "pty"), "size")
    cols, rows = size.get("cols", 0), size.get("rows", 0)
    if not all(type(number) is int and 0 <= number < 65536 for number in (cols, rows)):
        raise ConnectError(Code.INVALID_ARGUMENT, "a terminal's size must be numbers of columns and rows")
    return TerminalSize(cols, rows)


def _description(process: Process) -> Message:
    command = process.command
    config = {"cmd": command.cmd, "args": list(command.args), "envs": dict(command.envs), "cwd": command.cwd}
    return {"config": config, "pid": process.pid, **({"tag": command.tag} if command.tag is not None else {})}


def _event(kind: str, value: Message) -> Message:
    return {"event": {kind: value}}


def _messages(event: Event, hint: PipHint) -> Iterator[Message]:
    if isinstance(event, Output):
        hint.see(event.data.decode("utf-8", "replace"))
    elif hint.text:
        yield _data(Output("stderr", hint.text.encode()))
    yield _data(event)


def _data(event: Event) -> Message:
    if isinstance(event, Output):
        return _event("data", {event.source: base64.b64encode(event.data).decode("ascii")})
    return _event("end", _end(event))


def _end(ended: Ended) -> Message:
    # The JSON of protobuf leaves out fields with their default value.
    status = ended.describe()
    if ended.status == 0:
        return {"exited": True, "status": status}
    if ended.exited:
        return {"exitCode": ended.status, "exited": True, "status": status, "error": status}
    return {"exitCode": -1, "status": status, "error": status}


def _part(message: dict[str, Any], name: str) -> Message:
    value = message.get(name) or {}
    if not isinstance(value, dict):
        raise ConnectError(Code.INVALID_ARGUMENT, f"{name} must be an object")
    return value
