"""Runs code in a sandbox on this machine, as the SDK's `run_code` does, without the layers of its HTTP client.

Those layers take longer than everything else that the host does for a cell. The request, the treatment of the answer
and the exceptions are the SDK's. If the direct way is not certain to behave like the SDK's, or nothing answers there,
the SDK does the call.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_rewardkit.sandboxes.lazy import nearby_sandbox
from pytest_rewardkit.sandboxes.nearby import is_nearby, server_nearby

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

    from e2b_code_interpreter import Context, Execution, Sandbox

    from pytest_rewardkit.sandboxes.nearby import NamedContext

_SDK: Final = "e2b_code_interpreter.code_interpreter_sync"
_CHUNK: Final = 2**16
_PORT: Final = 49999
"""The SDK's `JUPYTER_PORT`, repeated here because reading it there loads the SDK."""

_RESULT: Final = dict.fromkeys(
    (*("text", "html", "markdown", "svg", "png", "jpeg", "pdf", "latex", "json", "javascript", "data"), "extra"), None
)


@dataclass(slots=True)
class CellAnswer:
    """The part of the SDK's `Execution` that remains when everything else went to the handlers."""

    execution_count: int | None = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class _Way:
    """The address of a sandbox's interpreter, and the token that grants access to it."""

    place: SplitResult
    sandbox_id: str
    token: str
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class GuestFunction:
    """A function that our interpreters have from the start (local/prepared.py), called without a cell.

    Parameters:
        mark, module, function: which function.
        arguments: plain values.
        cell: code that does the same.
    """

    mark: str
    module: str
    function: str
    arguments: Sequence[Any]
    cell: str

    @property
    def call(self) -> dict[str, Any]:
        """The call in the form that is sent."""
        return {name: getattr(self, name) for name in ("mark", "module", "function", "arguments")}


def run_code(
    sandbox: Sandbox,
    code: str | GuestFunction,
    *,
    context: Context | NamedContext,
    timeout: float,
    **handlers: Callable[[Any], object],
) -> CellAnswer | Execution:
    """Run code in a context.

    Parameters:
        code: a cell, or a function to call instead if the sandbox is certainly one of ours.
        timeout: seconds until the answer must arrive.
        handlers: `on_stdout`, `on_stderr` and `on_result`, as for the SDK.

    Raises what the SDK's `run_code` raises.
    """
    way = _way(sandbox)
    connection = _connected(way, timeout) if way is not None else None
    if isinstance(code, GuestFunction):
        call, code = code.call, code.cell
    else:
        call = None
    if way is None or connection is None:
        return sandbox.run_code(code, context=context, timeout=timeout, **handlers)
    with connection:
        asked = {"call": call} if call is not None and way.is_ours else {"code": code}
        return _run(connection, sandbox, way, {**asked, "context_id": context.id}, timeout, handlers)


def _way(sandbox: Sandbox) -> _Way | None:
    """Return the way to the sandbox's interpreter; None if the SDK must find it."""
    if (known := nearby_sandbox(sandbox)) is not None:
        return _Way(known.ports, known.sandbox_id, known.token, is_ours=True)
    # If something has replaced the SDK's method, it must see the calls.
    method = sandbox.run_code
    if getattr(method, "__module__", "") != _SDK or hasattr(method, "__wrapped__"):
        return None
    config = sandbox.connection_config
    if server_nearby(sandbox) is None or not sandbox.traffic_access_token or config.proxy is not None:
        return None
    place = urlsplit(config.get_sandbox_url(sandbox.sandbox_id, sandbox.sandbox_domain, port=_PORT))
    return _Way(place, sandbox.sandbox_id, sandbox.traffic_access_token)


def _connected(way: _Way, timeout: float) -> socket.socket | None:
    place = way.place
    if place.scheme != "http" or place.hostname is None or not is_nearby(place) or place.path:
        return None
    try:
        return socket.create_connection((place.hostname, place.port or 80), timeout)
    except OSError:
        return None


def _run(
    connection: socket.socket,
    sandbox: Sandbox,
    way: _Way,
    asked: Mapping[str, Any],
    timeout: float,
    handlers: dict[str, Callable[[Any], object]],
) -> CellAnswer:
    answer, until = CellAnswer(), time.monotonic() + timeout
    has_begun = False
    try:
        connection.sendall(_request(way, json.dumps(asked).encode("ascii")))
        with HTTPResponse(connection, method="POST") as response:
            response.begin()
            has_begun = True
            for line in _lines(response, until):
                _take(answer, line, handlers)
    except TimeoutError:
        from e2b_code_interpreter.exceptions import format_execution_timeout_error

        raise format_execution_timeout_error() from None
    except (OSError, HTTPException) as error:
        import httpx

        what = f"{type(error).__name__}: {error}"
        # A missing answer says nothing about the sandbox, nor whether the code has run.
        if not has_begun:
            raise httpx.WriteError(what) from error
        cut_off = httpx.ReadError(what)
        _check_running(sandbox, cut_off)
        raise cut_off from error
    return answer


def _take(answer: CellAnswer, line: bytes, handlers: dict[str, Callable[[Any], object]]) -> None:
    """Process one line of the answer, as the SDK's `parse_output` does."""
    try:
        told = json.loads(line)
        kind = told.pop("type")
        handler = handlers.get(f"on_{kind}")
        given: Any = None
        if kind == "result":
            given = _result(told)
        elif kind in ("stdout", "stderr"):
            given = SimpleNamespace(line=told["text"], timestamp=told["timestamp"], error=kind == "stderr")
        elif kind == "error":
            answer.error = SimpleNamespace(name=told["name"], value=told["value"], traceback=told["traceback"])
        elif kind == "number_of_executions":
            answer.execution_count = told["execution_count"]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        import httpx

        raise httpx.DecodingError(f"{type(error).__name__}: {error}") from error
    if handler is not None and given is not None:
        handler(given)


def _result(told: dict[str, Any]) -> Any:
    if told.get("chart"):
        from e2b_code_interpreter import Result  # this class handles charts

        return Result(**told)
    # A figure that shows nothing has an empty chart, which is none to the SDK.
    return SimpleNamespace(**{"is_main_result": False, **_RESULT, **told, "chart": None})


def _request(way: _Way, body: bytes) -> bytes:
    lines = (
        "POST /execute HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"E2b-Sandbox-Id: {way.sandbox_id}",
        f"E2b-Sandbox-Port: {_PORT}",
        f"E2B-Traffic-Access-Token: {way.token}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii") + body


def _lines(response: HTTPResponse, until: float) -> Iterator[bytes]:
    if not 200 <= response.status < 300:
        import httpx
        from e2b_code_interpreter.models import extract_exception

        raise extract_exception(httpx.Response(response.status, content=response.read()))
    pieces: list[bytes] = []
    while chunk := response.read1(_CHUNK):
        first, *others = chunk.split(b"\n")
        pieces.append(first)
        for other in others:
            yield b"".join(pieces)
            pieces = [other]
        if time.monotonic() > until:
            raise TimeoutError
    if any(pieces):
        yield b"".join(pieces)


def _check_running(sandbox: Sandbox, cut_off: Exception) -> None:
    """Raise what the SDK says of an answer that the sandbox's end has cut off."""
    from e2b_code_interpreter.exceptions import format_sandbox_killed_error

    try:
        running = sandbox.is_running()
    except Exception:
        return  # the cause is unknown
    if not running:
        raise format_sandbox_killed_error() from cut_off
