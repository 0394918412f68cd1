"""Identifies the SDK's call in a request, by the names that `--faults` uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.api.errors import ApiError
from pytest_rewardkit.local.api.gateway import ENVD_PORT, INTERPRETER_PORT, destination
from pytest_rewardkit.local.api.one_port import is_traffic

if TYPE_CHECKING:
    from aiohttp import web

_CONTROL: Final = (
    ("POST", r"(/v2)?/sandboxes", "create"),
    ("GET", r"(/v2)?/sandboxes", "list"),
    ("POST", r"(/v2)?/sandboxes/[^/]+/(connect|resume)", "connect"),
    ("GET", r"/sandboxes/[^/]+", "info"),
    ("DELETE", r"/sandboxes/[^/]+", "kill"),
    ("POST", r"/sandboxes/[^/]+/timeout", "timeout"),
)
_ENVD: Final = (
    ("GET", "/files", "read"),
    ("POST", "/files.*", "write"),
    ("POST", r"/process\.Process/.*", "commands"),
    ("POST", r"/filesystem\.Filesystem/.*", "filesystem"),
    ("GET", "/health", "health"),
)
_INTERPRETER: Final = (("POST", "/execute", "execute"), (".*", "/contexts.*", "contexts"))
_SANDBOX: Final = re.compile(r"(?:/v2)?/sandboxes/([^/]+)")


def names_of(request: web.BaseRequest) -> frozenset[str]:
    """The names by which a rule may mean this request; none for the control plane's health, which owners query."""
    if is_traffic(request):
        return frozenset({_of_traffic(request), "traffic", "any"})
    if request.path == "/health":
        return frozenset()
    return frozenset({_found(_CONTROL, request), "control", "any"})


def sandbox_of(request: web.BaseRequest) -> str:
    """The id of the sandbox that a request is about; "" if it names none."""
    if is_traffic(request):
        return _target(request)[0]
    named = _SANDBOX.match(request.path)
    return named[1] if named else ""


def _of_traffic(request: web.BaseRequest) -> str:
    _, port = _target(request)
    if port == INTERPRETER_PORT:
        return _found(_INTERPRETER, request)
    return _found(_ENVD, request) if port == ENVD_PORT else "ports"


def _target(request: web.BaseRequest) -> tuple[str, int]:
    try:
        return destination(request) or ("", ENVD_PORT)
    except ApiError:  # the gateway will answer with this error
        return "", 0


def _found(table: tuple[tuple[str, str, str], ...], request: web.BaseRequest) -> str:
    for method, path, name in table:
        if re.fullmatch(method, request.method) and re.fullmatch(path, request.path):
            return name
    return ""
