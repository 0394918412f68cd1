"""A sandbox of a server on this machine that is created and ended without the SDK, and becomes the SDK's on demand.

Loading the SDK takes as long as creating twenty sandboxes. A request by the SDK takes as long as everything else that
a sandbox needs here.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_rewardkit.local.limits import LIMITS_HEADER
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.lifetime import Life

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from e2b_code_interpreter import Sandbox

USUAL_TEMPLATE: Final = "code-interpreter-v1"

_FIELDS: Final = {
    "template": "templateID",
    "timeout": "timeout",
    "metadata": "metadata",
    "envs": "envVars",
    "allow_internet_access": "allow_internet_access",
}
"""The SDK's keywords that are sent unchanged, with their names in the request."""

PLAIN_KEYWORDS: Final = frozenset(_FIELDS)

_METHODS: Final = ("create", "run_code", "kill")
_KILL_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class NearbySandbox:
    """A sandbox known without the SDK.

    Parameters:
        sandbox_id: its id.
        answer: the server's answer to its creation.
        address: the SDK's keywords that point to the server.
        life: what is known of its life.
    """

    sandbox_id: str
    answer: Mapping[str, Any]
    address: Mapping[str, Any]
    life: Life

    @property
    def server(self) -> SplitResult:
        """The address of its server."""
        return urlsplit(str(self.address["api_url"]))

    @property
    def ports(self) -> SplitResult:
        """The address of its ports."""
        return urlsplit(str(self.address["sandbox_url"]))

    @property
    def token(self) -> str:
        """The token that grants access to its ports."""
        return str(self.answer["trafficAccessToken"])

    def kill(self) -> None:
        """End it. Raises what the SDK's `kill` raises."""
        try:
            with closing(_connection(self.address, _KILL_SECONDS)) as connection:
                connection.request("DELETE", f"/sandboxes/{self.sandbox_id}", headers=_key(self.address))
                status = connection.getresponse().status
        except (OSError, HTTPException):
            status = 0
        if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND):
            again(self.opened().kill)

    def opened(self) -> Sandbox:
        """Return it as the SDK's object, without a request."""
        from e2b import ConnectionConfig
        from e2b_code_interpreter import Sandbox
        from packaging.version import Version

        token = self.answer["envdAccessToken"]
        headers = {"E2b-Sandbox-Id": self.sandbox_id, "E2b-Sandbox-Port": str(ConnectionConfig.envd_port)}
        return Sandbox(
            sandbox_id=self.sandbox_id,
            sandbox_domain=self.answer["domain"],
            envd_version=Version(self.answer["envdVersion"]),
            envd_access_token=token,
            traffic_access_token=self.answer["trafficAccessToken"],
            connection_config=ConnectionConfig(
                extra_sandbox_headers={"X-Access-Token": token, **headers}, **self.address
            ),
        )


def create(
    options: Mapping[str, Any], address: Mapping[str, Any], key: str, *, limits: str, within: float
) -> NearbySandbox | None:
    """Return a new sandbox; None if the SDK must create it, because it knows more keywords and explains failures.

    Parameters:
        options: the SDK's keywords.
        address: the SDK's keywords that point to the server.
        key: a further try with it returns the same sandbox.
        limits: the sandbox's own limits, in the server's form.
        within: seconds until the answer must arrive.
    """
    if not options.keys() <= PLAIN_KEYWORDS or not _is_sdk_as_published():
        return None
    asked = {_FIELDS[name]: value for name, value in options.items() if value is not None}
    headers = {**_key(address), "Content-Type": "application/json", "Idempotency-Key": key}
    try:
        body = json.dumps({"templateID": USUAL_TEMPLATE, **asked})
        with closing(_connection(address, within)) as connection:
            connection.request("POST", "/v2/sandboxes", body, {**headers, LIMITS_HEADER: limits} if limits else headers)
            response = connection.getresponse()
            answer = json.load(response)
        if response.status != HTTPStatus.CREATED:
            return None
        return NearbySandbox(answer["sandboxID"], answer, address, Life.of_new(options.get("timeout")))
    except (OSError, HTTPException, ValueError, TypeError, LookupError):
        return None


def _is_sdk_as_published() -> bool:
    """Whether nothing has replaced the SDK's methods; a replacement must see the calls."""
    sdk = sys.modules.get("e2b_code_interpreter")
    if sdk is None:
        return True
    methods = (getattr(sdk.Sandbox, name) for name in _METHODS)
    return all(getattr(method, "__module__", "").partition(".")[0] in ("e2b", sdk.__name__) for method in methods)


def _connection(address: Mapping[str, Any], seconds: float) -> HTTPConnection:
    place = urlsplit(address["api_url"])
    return HTTPConnection(place.hostname or "", place.port or 80, timeout=seconds)


def _key(address: Mapping[str, Any]) -> dict[str, str]:
    return {"X-API-Key": address["api_key"]}
