"""The code interpreter's service: code runs in contexts, and its output comes as lines of JSON."""

from __future__ import annotations

import json
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from pytest_rewardkit.local.api.body import read_object, text_map
from pytest_rewardkit.local.api.errors import ApiError, json_response, traffic_error
from pytest_rewardkit.local.api.paths import resolve
from pytest_rewardkit.local.api.pip_hint import PipHint
from pytest_rewardkit.local.api.ports import TOKEN_HEADER
from pytest_rewardkit.local.api.signature import matches
from pytest_rewardkit.local.errors import Code, GuestError, LocalError, RequestError
from pytest_rewardkit.local.named_contexts import is_name
from pytest_rewardkit.local.server.context import PYTHON
from pytest_rewardkit.local.server.execution import Execution, Failure, Result, Started, TextOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.local.server.context import Context
    from pytest_rewardkit.local.server.execution import Event
    from pytest_rewardkit.local.server.sandbox import Sandbox

KEEPALIVE_SECONDS = 5.0
LANGUAGES = {
    "python": PYTHON,
    "python3": PYTHON,
    "py": PYTHON,
    "bash": "bash",
    "javascript": "javascript",
    "js": "javascript",
    "typescript": "typescript",
    "ts": "typescript",
}
"""The names of languages; E2B's other languages do not exist here."""

_PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
"""The path on which sandboxes look for programs."""

_CONTEXT_PATH = re.compile(r"/contexts/([^/]+)(/restart)?")
_END = b'{"type":"end_of_execution"}\n'
_KEEPALIVE = b'{"type":"keepalive"}\n'

_FIELDS = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
    "e2b/data": "data",
    "e2b/chart": "chart",
}

_STRUCTURED = ("application/json", "e2b/data", "e2b/chart")


async def answer(request: web.BaseRequest, sandbox: Sandbox) -> web.StreamResponse:
    """Answers a request to the interpreter's port. Its errors are plain text, unlike those of all other services."""
    try:
        return await _route(request, sandbox)
    except LocalError as error:
        refusal = traffic_error(error, sandbox.id, otherwise=409)
        what = "the interpreter could not be started: " if isinstance(error, GuestError) else ""
        return web.Response(status=refusal.status, text=what + refusal.message)


async def _route(request: web.BaseRequest, sandbox: Sandbox) -> web.StreamResponse:
    route = (request.method, request.path)
    if route == ("GET", "/health"):
        return web.Response(text='"OK"')
    _check_token(request, sandbox)
    if route == ("POST", "/execute"):
        return await _execute(request, sandbox)
    if route == ("GET", "/contexts"):
        return json_response([_description(context) for context in _contexts(sandbox)])
    if route == ("POST", "/contexts"):
        return await _create(request, sandbox)
    if match := _CONTEXT_PATH.fullmatch(request.path):
        context = _context(sandbox, match[1])
        if request.method == "POST" and match[2]:
            await context.restart()
            return json_response(_description(context))
        if request.method == "DELETE" and not match[2]:
            sandbox.remove_context(context)
            return json_response({})
    raise ApiError(404, f"{request.method} {request.path} is not there")


def _check_token(request: web.BaseRequest, sandbox: Sandbox) -> None:
    """Raises ApiError unless the request has one of the sandbox's tokens. SDKs send the one for ports everywhere."""
    held = {"X-Access-Token": sandbox.token, TOKEN_HEADER: sandbox.traffic_token}
    if not any(token and matches(request.headers.get(header, ""), token) for header, token in held.items()):
        raise ApiError(401, "unauthorized access, please provide a valid access token")


async def _execute(request: web.BaseRequest, sandbox: Sandbox) -> web.StreamResponse:
    context, execution = _parse(await read_object(request), sandbox)
    if context.language != PYTHON:
        await _start(context, sandbox)
    response = web.StreamResponse()
    response.content_type = "application/x-ndjson"
    sandbox.note_run(execution.call is None)
    context.submit(execution)
    hint = PipHint(execution.code, internet=sandbox.request.internet)
    try:
        await response.prepare(request)
        ended = False
        while not ended:
            events = await execution.events.take(KEEPALIVE_SECONDS)
            for event in events:
                if isinstance(event, TextOutput):
                    hint.see(event.text)
            lines = b"".join(map(line, events))
            ended = execution.events.ended
            if ended and hint.text:
                lines += line(TextOutput("stderr", hint.text))
            if ended:
                await response.write_eof(lines + _END)
            else:
                await response.write(lines or _KEEPALIVE)
    finally:
        context.withdraw(execution)
    return response


def _parse(body: Mapping[str, Any], sandbox: Sandbox) -> tuple[Context, Execution]:
    context_id, language = body.get("context_id"), body.get("language")
    call = _call(body.get("call"))
    code = body.get("code") if call is None else ""
    if not isinstance(code, str):
        raise ApiError(400, "code must be a text")
    if context_id and language:
        raise ApiError(400, "Only one of context_id or language can be provided")
    language = _language(language)
    context = _context_for_code(sandbox, context_id) if context_id else sandbox.default_context(language)
    envs = text_map(body.get("env_vars"), "env_vars") or None
    if call is not None and context.language != PYTHON:
        raise ApiError(400, "calls are for Python alone")
    return context, Execution(code, envs, sandbox.limits.output_mb, call=call)


def _call(call: Any) -> Mapping[str, Any] | None:
    """A call, in place of code, of a function that interpreters have from the start. E2B lacks this."""
    if call is None:
        return None
    names = [call.get(name) for name in ("mark", "module", "function")] if isinstance(call, dict) else []
    if not names or not all(isinstance(name, str) for name in names) or not isinstance(call.get("arguments"), list):
        raise ApiError(400, "call must name mark, module and function, and give arguments")
    return {name: call[name] for name in ("mark", "module", "function", "arguments")}


async def _create(request: web.BaseRequest, sandbox: Sandbox) -> web.Response:
    body = await read_object(request)
    language = _language(body.get("language"))
    cwd = body.get("cwd") or ""
    if not isinstance(cwd, str):
        raise ApiError(400, "cwd must be a text")
    try:
        directory = resolve(cwd)
        # E2B accepts a missing directory, and starts elsewhere. Here it is made, so that the context starts in it.
        await sandbox.guest.files.make_directory(directory)
    except RequestError as error:
        if error.code != Code.ALREADY_EXISTS:
            raise traffic_error(error, sandbox.id) from error
    context = sandbox.add_context(directory, language)
    await _start(context, sandbox)
    return json_response(_description(context))


async def _start(context: Context, sandbox: Sandbox) -> None:
    try:
        await context.start()
    except GuestError as error:
        if context.id in sandbox.contexts:
            sandbox.remove_context(context)
        if error.code == Code.FAILED_PRECONDITION:
            raise ApiError(501, f"no {context.language} here: {error.message}") from error
        raise


def line(event: Event) -> bytes:
    """An event as a line of JSON in ASCII, because the SDK splits at Unicode's line breaks too."""
    match event:
        case Started(count):
            message: dict[str, Any] = {"type": "number_of_executions", "execution_count": count}
        case TextOutput(stream, text):
            message = {"type": stream, "text": text, "timestamp": datetime.now(UTC).isoformat()}
        case Result(data, main):
            message = {"type": "result", **result_fields(data), "is_main_result": main}
        case Failure(name, value, traceback):
            message = {"type": "error", "name": name, "value": value, "traceback": traceback}
    return json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def result_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """A value's representations by MIME type, as the fields of a result; types without a field go to `extra`."""
    fields: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for mime, value in data.items():
        if mime in _STRUCTURED or (mime in _FIELDS and isinstance(value, str)):
            fields[_FIELDS[mime]] = value
        else:
            extra[mime] = value
    text = fields.get("text")
    if isinstance(text, str) and len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        fields["text"] = text[1:-1]
    return {**fields, "extra": extra}


def _contexts(sandbox: Sandbox) -> list[Context]:
    """Every context. The first ones are those that E2B starts at once; here they start an interpreter when needed."""
    languages = [PYTHON, *(["javascript"] if shutil.which("node", path=_PATH) else [])]
    first = [sandbox.default_context(language) for language in languages]
    return [*first, *(context for context in sandbox.contexts.values() if context not in first)]


def _context(sandbox: Sandbox, context_id: object) -> Context:
    context = sandbox.contexts.get(context_id) if isinstance(context_id, str) else None
    if context is None:
        raise _no_context(context_id)
    return context


def _context_for_code(sandbox: Sandbox, context_id: str) -> Context:
    if not is_name(context_id):
        return _context(sandbox, context_id)
    if (context := sandbox.named_context(context_id)) is None:
        raise _no_context(context_id)
    return context


def _no_context(context_id: object) -> ApiError:
    return ApiError(404, f"Context {context_id} not found")


def _language(name: object) -> str:
    if name is None:
        return PYTHON
    language = LANGUAGES.get(name.lower()) if isinstance(name, str) else None
    if language is None:
        known = ", ".join(dict.fromkeys(LANGUAGES.values()))
        raise ApiError(501, f"the local server runs {known}, not {name!r}")
    return language


def _description(context: Context) -> dict[str, str]:
    return {"id": context.id, "language": context.language, "cwd": context.cwd}
