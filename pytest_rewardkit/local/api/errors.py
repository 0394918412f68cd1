"""Errors as E2B's control plane and envd word them: JSON with an integer code and a message."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)


class ApiError(Exception):
    """A request that is answered with an error.

    Parameters:
        status: the HTTP status; it is the `code` of the body too.
        message: what was wrong, for a person.
        fields: more fields of the body.
    """

    def __init__(self, status: int, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.fields = fields

    def response(self) -> web.Response:
        """The answer; the SDK retries a busy server unless it is told not to, and nothing here gets better by that."""
        headers = {"Should-Retry": "false"} if self.status in (429, 502, 503, 504) else None
        return json_response({"code": self.status, "message": self.message, **self.fields}, self.status, headers)


class NotServedError(ApiError):
    """A call that E2B serves and the local server does not."""

    def __init__(self, what: str) -> None:
        super().__init__(501, f"the local server does not serve {what}")


def not_found(sandbox_id: str) -> ApiError:
    """The control plane's answer for a sandbox that is not there."""
    return ApiError(404, f"sandbox '{sandbox_id}' not found")


def not_running(sandbox_id: str) -> ApiError:
    """The gateway's answer for a sandbox that is not there; the SDK reads its wording."""
    return ApiError(502, "The sandbox was not found", sandboxId=sandbox_id)


def port_closed(sandbox_id: str, port: int) -> ApiError:
    """The gateway's answer for a port on which nothing listens; the SDK reads its wording."""
    return ApiError(502, "The sandbox is running but port is not open", sandboxId=sandbox_id, port=port)


def unexpected(request: web.BaseRequest) -> web.Response:
    """The answer to a request that met an error of the server's own, which goes to the log."""
    _log.exception("%s %s failed", request.method, request.path)
    return ApiError(500, "the local server has failed; its log says where").response()


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer in ASCII, which no line splitting and no decoding can break."""
    return web.Response(
        body=json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii"),
        status=status,
        headers=headers,
        content_type="application/json",
    )
