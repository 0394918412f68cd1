"""Sandboxes from the local server."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.local.limits import LIMITS_HEADER
from pytest_rewardkit.sandboxes import creation, nearby_sandbox
from pytest_rewardkit.sandboxes.options import LIMITS
from pytest_rewardkit.sandboxes.server_log import ServerLog
from pytest_rewardkit.sandboxes.servers import tell
from pytest_rewardkit.sandboxes.template_readiness import TemplateReadiness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.local.isolation import Isolation
    from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox
    from pytest_rewardkit.sandboxes.provider import Server


CREATE_SECONDS: Final = 240.0
"""How long to wait for a sandbox; the server gives up earlier and says why."""


class LocalProvider:
    """Sandboxes from the run's local server, which the first request starts."""

    name = "local"
    limits = LIMITS

    def __init__(self, *, server: Server, isolation: str, say: Callable[[str], None] = tell) -> None:
        self._server = server
        self._log = ServerLog(server.log_path())
        self._wanted = isolation
        self._templates = TemplateReadiness(server, say)

    @property
    def isolation(self) -> str:
        return self._found.level

    def describe(self) -> str:
        described = f"local sandboxes, isolation {self.isolation}"
        if not self._found.difference:
            return described
        return f"{described} ({self._found.difference}); for more: python -m pytest_rewardkit.local doctor"

    @cached_property
    def _found(self) -> Isolation:
        from pytest_rewardkit.local.errors import NoSuchLevelError
        from pytest_rewardkit.local.handle import LocalServer
        from pytest_rewardkit.local.level import find_isolation

        try:
            if isinstance(self._server, LocalServer):
                return self._server.find_isolation()
            return find_isolation(self._wanted)
        except NoSuchLevelError as error:
            raise RewardkitUsageError(str(error)) from None

    def environment(self) -> Mapping[str, str]:
        return self._server.environment()

    def create_nearby(self, **options: Any) -> NearbySandbox | Sandbox:
        """Like `create`, but without the SDK if it is not needed."""
        self._templates.wait_for(options.get("template"))
        key = str(uuid.uuid4())
        plain = {name: value for name, value in options.items() if name not in LIMITS}
        limits = _limits_text(options)
        made = nearby_sandbox.create(plain, self._address(), key, limits=limits, within=CREATE_SECONDS)
        return made or self.create(**options, idempotency_key=key)

    def create(self, **options: Any) -> Sandbox:
        self._templates.wait_for(options.get("template"))
        keywords = {"within": CREATE_SECONDS, **self._keywords(options)}
        log_size = self._log.size()
        try:
            return creation.create(**keywords)
        except SandboxUnavailable as error:
            self._expect_another_server(error, log_size)
        return creation.create(**keywords)

    async def create_async(self, **options: Any) -> AsyncSandbox:
        import asyncio  # loaded with the SDK; a run without sandboxes loads neither

        await asyncio.to_thread(self._templates.wait_for, options.get("template"))
        keywords = {"within": CREATE_SECONDS, **self._keywords(options)}
        log_size = self._log.size()
        try:
            return await creation.create_async(**keywords)
        except SandboxUnavailable as error:
            self._expect_another_server(error, log_size)
        return await creation.create_async(**keywords)

    def news(self, since: int) -> str:
        """Return what has happened to the server since then, once one answers; "" if nothing has.

        Parameters:
            since: the log's length at that time.
        """
        answers = self._log.server_answers(self._address()["api_url"])
        if obituary := self._log.obituary(since):
            return obituary
        if answers:
            return ""
        return "; ".join(filter(None, ["the local server does not answer", self._log.last_line()]))

    def log_size(self) -> int:
        """Return the length of the server's log."""
        return self._log.size()

    def _expect_another_server(self, error: SandboxUnavailable, log_size: int) -> None:
        """Raise the error with what is known of the server, unless it has ended and another one answers."""
        if self._log.server_answers(self._address()["api_url"]) and self._log.obituary(log_size):
            return
        about = self.news(log_size) or self._log.last_line()
        raise SandboxUnavailable(f"{error} ({about})" if about else str(error)) from error.__cause__

    def _keywords(self, options: Mapping[str, Any]) -> dict[str, Any]:
        limits = _limits_text(options)
        keywords = {**self._address(), **{name: value for name, value in options.items() if name not in LIMITS}}
        if limits:
            headers = keywords.get("api_headers") or {}
            keywords["api_headers"] = {**headers, LIMITS_HEADER: limits}
        return keywords

    def _address(self) -> dict[str, str]:
        variables = self._server.environment()
        names = {
            "E2B_API_KEY": "api_key",
            "E2B_API_URL": "api_url",
            "E2B_DOMAIN": "domain",
            "E2B_SANDBOX_URL": "sandbox_url",
        }
        return {keyword: variables[variable] for variable, keyword in names.items()}

    def close(self) -> None:
        pass  # its sandboxes end with the server


def _limits_text(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items() if name in LIMITS and value is not None)
