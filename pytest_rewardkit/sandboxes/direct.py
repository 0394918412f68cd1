"""Running code in a sandbox on this machine, as the SDK's `run_code` does, without the layers of its HTTP client.

Those take longer than all else that the host does for a cell. What is asked, what is made of the answer, and what is
raised are the SDK's. Where the way is not surely as the SDK would go it, or nobody is at its end, the SDK goes it.
"""

from __future__ import annotations

import json
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_rewardkit.sandboxes.nearby import is_nearby, server_nearby

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Context, Execution, Sandbox

_SDK: Final = "e2b_code_interpreter.code_interpreter_sync"
_CHUNK: Final = 2**16


def run_code(sandbox: Sandbox, code: str, *, context: Context, timeout: float, **handlers: Any) -> Execution:
    """Run code in a context.

    Parameters:
        timeout: seconds until the answer has to be there.
        handlers: `on_stdout`, `on_stderr` and `on_result`, as the SDK's.

    Raises what the SDK's raises.
    """
    connection = _connected(sandbox, timeout)
    if connection is None:
        return sandbox.run_code(code, context=context, timeout=timeout, **handlers)
    with connection:
        return _run(connection, sandbox, {"code": code, "context_id": context.id}, timeout, handlers)


def _connected(sandbox: Sandbox, timeout: float) -> socket.socket | None:
    """Return a connection to where the sandbox's interpreter is; None where finding that is left to the SDK."""
    # Who has put something in the place of the SDK's method wants to see the calls of it.
    method = sandbox.run_code
    if getattr(method, "__module__", "") != _SDK or hasattr(method, "__wrapped__"):
        return None
    config = sandbox.connection_config
    if server_nearby(sandbox) is None or not sandbox.traffic_access_token or config.proxy is not None:
        return None
    place = urlsplit(config.get_sandbox_url(sandbox.sandbox_id, sandbox.sandbox_domain, port=_port()))
    if place.scheme != "http" or place.hostname is None or not is_nearby(place) or place.path:
        return None
    try:
        return socket.create_connection((place.hostname, place.port or 80), timeout)
    except OSError:
        return None


def _port() -> int:
    from e2b_code_interpreter.constants import JUPYTER_PORT

    return int(JUPYTER_PORT)


def _run(
    connection: socket.socket, sandbox: Sandbox, asked: dict[str, str], timeout: float, handlers: dict[str, Any]
) -> Execution:
    import httpx
    from e2b_code_interpreter.exceptions import format_execution_timeout_error
    from e2b_code_interpreter.models import Execution, parse_output

    execution, until = Execution(), time.monotonic() + timeout
    has_begun = False
    try:
        connection.sendall(_request(sandbox, json.dumps(asked).encode("ascii")))
        with HTTPResponse(connection, method="POST") as response:
            response.begin()
            has_begun = True
            for line in _lines(response, until):
                parse_output(execution, line.decode(errors="replace"), **handlers)
    except TimeoutError:
        raise format_execution_timeout_error() from None
    except (OSError, HTTPException) as error:
        what = f"{type(error).__name__}: {error}"
        # That no answer has begun says nothing: neither of the sandbox, nor whether the code has been run.
        if not has_begun:
            raise httpx.WriteError(what) from error
        cut_off = httpx.ReadError(what)
        _check_running(sandbox, cut_off)
        raise cut_off from error
    return execution


def _request(sandbox: Sandbox, body: bytes) -> bytes:
    lines = (
        "POST /execute HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"E2b-Sandbox-Id: {sandbox.sandbox_id}",
        f"E2b-Sandbox-Port: {_port()}",
        f"E2B-Traffic-Access-Token: {sandbox.traffic_access_token}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii") + body


def _lines(response: HTTPResponse, until: float) -> Iterator[bytes]:
    import httpx
    from e2b_code_interpreter.models import extract_exception

    if not httpx.codes.is_success(response.status):
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
    """Raise what the SDK says of an answer that was cut off by the sandbox's end."""
    from e2b_code_interpreter.exceptions import format_sandbox_killed_error

    try:
        running = sandbox.is_running()
    except Exception:
        return  # nobody knows
    if not running:
        raise format_sandbox_killed_error() from cut_off
