"""Templates of a local server, which may have to be built before the first sandbox."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_rewardkit.sandboxes.provider import Server

ANSWER_SECONDS: Final = 60.0
"""How long to wait for the next status; the server answers within a few seconds if it answers at all."""


class TemplateReadiness:
    """Waits for templates, each once.

    Parameters:
        server: the server.
        say: told what happens meanwhile.
    """

    def __init__(self, server: Server, say: Callable[[str], None]) -> None:
        self._server = server
        self._say = say
        self._ready: set[str] = set()

    def wait_for(self, name: str | None) -> None:
        """Return when a template is ready for sandboxes.

        Raises:
            RewardkitUsageError: there is no such template.
            SandboxUnavailable: it cannot be built.
        """
        while name and name not in self._ready:
            news = self._news(name)
            for line in news["lines"]:
                self._say(line)
            if news["ready"]:
                self._ready.add(name)

    def _news(self, name: str) -> dict[str, Any]:
        variables = self._server.environment()
        address = urlsplit(variables["E2B_API_URL"])
        try:
            with closing(HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)) as connection:
                path = f"/templates/{quote(name, safe='')}/news"
                connection.request("GET", path, headers={"X-API-Key": variables["E2B_API_KEY"]})
                answer = connection.getresponse()
                body: dict[str, Any] = json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise SandboxUnavailable(f"the local server gave no answer about the template {name!r}: {error}") from error
        if answer.status == 404:
            raise RewardkitUsageError(str(body.get("message")))
        if answer.status != 200:
            raise SandboxUnavailable(str(body.get("message")))
        return body
