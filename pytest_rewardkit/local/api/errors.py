"""How errors are answered: the one place where errors become HTTP's statuses and Connect's codes.

E2B's control plane and envd send errors as JSON with an integer code and a message; Connect uses a code in words.

Clients can tell what has failed. 4xx and 507, and Connect's `invalid_argument`, `not_found`, `already_exists`,
`permission_denied` and `failed_precondition` are due to the sandbox's contents, and so to its user. All other 5xx and
all other codes of Connect are failures of the server.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pytest_rewardkit.local.errors import (
    BadPathError,
    BuildError,
    Code,
    GuestError,
    GuestGoneError,
    LocalError,
    NoInternetError,
    RequestError,
    SandboxFailedError,
    TooManySandboxesError,
    UnknownTemplateError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)


CONNECT_STATUSES: Final = {
    Code.CANCELED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}
"""HTTP's status for each of Connect's codes, by Connect's specification."""

_REFUSAL_STATUSES: Final = {
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 507,
    Code.UNAVAILABLE: 503,
}
"""HTTP's status for requests that a sandbox refuses."""


class ApiError(LocalError):
    """A request that is answered with an error.

    Parameters:
        status: the HTTP status; it is the `code` of the body too.
        message: the error, for a person.
        fields: more fields of the body.
    """

    def __init__(self, status: int, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.fields = fields

    def response(self) -> web.Response:
        """The answer. The SDK would retry a busy server; a header tells it not to, because that would not help."""
        headers = {"Should-Retry": "false"} if self.status in (429, 502, 503, 504) else None
        return json_response({"code": self.status, "message": self.message, **self.fields}, self.status, headers)


class NotServedError(ApiError):
    """A call that E2B serves and the local server does not."""

    def __init__(self, what: str) -> None:
        super().__init__(501, f"the local server does not serve {what}")


class ConnectError(LocalError):
    """An error that is the answer of an RPC.

    Parameters:
        code: its code.
        message: the error, for a person.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that goes with it, if there is no stream yet."""
        return CONNECT_STATUSES[self.code]

    def body(self) -> dict[str, Any]:
        """The error as JSON."""
        return {"code": self.code.value, "message": self.message}


def control_error(error: LocalError) -> ApiError:
    """The control plane's answer to an error. If the error is not about a request, it is raised."""
    match error:
        case ApiError():
            return error
        case TooManySandboxesError():
            return ApiError(429, str(error))
        case NoInternetError():
            return NotServedError(str(error))
        case UnknownTemplateError():
            return ApiError(404, str(error))
        case BuildError():
            return ApiError(500, str(error))
        case GuestError() | SandboxFailedError():
            return ApiError(500, f"the sandbox has failed: {error}")
    raise error


def traffic_error(error: LocalError, sandbox_id: str, *, otherwise: int = 400) -> ApiError:
    """The answer of envd and the interpreter to an error. If the error is not about a request, it is raised.

    Parameters:
        otherwise: the status of a guest's refusals that have no status of their own.
    """
    match error:
        case ApiError():
            return error
        case BadPathError():
            return ApiError(400, error.message)
        case GuestError():
            return ApiError(_REFUSAL_STATUSES.get(error.code, otherwise), error.message)
        case GuestGoneError():
            return not_running(sandbox_id)
    raise error


def connect_error(error: LocalError) -> ConnectError:
    """An RPC's answer to an error. If the error is not about an RPC, it is raised."""
    match error:
        case ConnectError():
            return error
        case RequestError(code=Code.RESOURCE_EXHAUSTED):
            # SDKs would take it for a limit of the service.
            return ConnectError(Code.FAILED_PRECONDITION, error.message)
        case RequestError():
            return ConnectError(error.code, error.message)
        case GuestGoneError():
            return ConnectError(Code.UNAVAILABLE, str(error))
    raise error


def not_found(sandbox_id: str) -> ApiError:
    """The control plane's answer for a sandbox that does not exist."""
    return ApiError(404, f"sandbox '{sandbox_id}' not found")


def not_running(sandbox_id: str) -> ApiError:
    """The gateway's answer for a sandbox that does not exist; the SDK parses its wording."""
    return ApiError(502, "The sandbox was not found", sandboxId=sandbox_id)


def port_closed(sandbox_id: str, port: int) -> ApiError:
    """The gateway's answer for a port without a listener; the SDK parses its wording."""
    return ApiError(502, "The sandbox is running but port is not open", sandboxId=sandbox_id, port=port)


def unexpected(request: web.BaseRequest) -> web.Response:
    """The answer to a request that met an error of the server itself, which goes to the log."""
    _log.exception("%s %s failed", request.method, request.path)
    return ApiError(500, "the local server has failed; its log says where").response()


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer in ASCII, which no line splitting and no decoding can damage."""
    return web.Response(
        body=json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii"),
        status=status,
        headers=headers,
        content_type="application/json",
    )
