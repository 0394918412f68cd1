"""The cloud at its worst: it sits before the control plane and the gateway, and applies the rules to calls."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pytest_rewardkit.local.api.errors import json_response
from pytest_rewardkit.local.faults import connections
from pytest_rewardkit.local.faults.calls import names_of, sandbox_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aiohttp.typedefs import Middleware

    from pytest_rewardkit.local.faults.rules import Rule
    from pytest_rewardkit.local.server.table import SandboxTable

    Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

REPORT_PATH: Final = "/faults"
"""Where the control plane reports the applied faults, without a key."""

_MESSAGES: Final[Mapping[int, str]] = {
    401: "unauthorized access, the API key is invalid",
    403: "access denied",
    404: "template not found",
    429: "Rate limit exceeded, please try again later.",
    500: "internal server error",
    502: "bad gateway",
    503: "no node is available, please try again later",
    504: "the upstream request timed out",
}


class BadCloud:
    """Spoils calls, and counts them.

    Parameters:
        table: the sandboxes.
        rules: what happens to which calls.
        seed: decides which calls are spoilt; another run with the same seed spoils the n-th call of a kind again.
    """

    def __init__(self, table: SandboxTable, rules: Sequence[Rule], seed: int) -> None:
        self._table = table
        self._chances = [(rule, random.Random(f"{seed}:{rule}")) for rule in rules]  # noqa: S311 - nothing is secret
        self._met: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._creating = 0
        self._most_at_once = 0
        self._created: deque[float] = deque()
        self._admitted: deque[float] = deque()
        self._most_in_a_second = 0

    def middleware(self) -> Middleware:
        """A middleware that sees an application's requests first."""

        @web.middleware
        async def spoil(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            return await self._answer(request, lambda _: handler(request))

        return spoil

    def before(self, handler: Handler) -> Handler:
        """A handler that does the same for a listener's requests."""
        return partial(self._answer, handler=handler)

    async def _answer(self, request: web.BaseRequest, handler: Handler) -> web.StreamResponse:
        if request.path == REPORT_PATH and request.method == "GET":
            return json_response(self._report())
        names = names_of(request)
        for name in names:
            self._calls[name] += 1
        # Each rule decides about every call that may match it, so that no rule changes the choice of another one.
        happening = [rule for rule, chance in self._chances if rule.call in names and chance.random() < rule.share]
        for rule in happening:
            if (instead := await self._happen(request, rule)) is not None:
                return instead
        return await self._passed_on(request, handler, happening, creates="create" in names)

    async def _happen(self, request: web.BaseRequest, rule: Rule) -> web.StreamResponse | None:
        """The answer that replaces the server's own answer; None if the server's own answer is sent."""
        number = rule.number or 0.0
        if rule.kind in ("at-once", "rate"):
            return self._refusal(rule)
        self._met[str(rule)] += 1
        if rule.status is not None:
            return _error(rule.status, _MESSAGES.get(rule.status, "the call has failed"), rule.number)
        match rule.kind:
            case "delay":
                await asyncio.sleep(number)
            case "reset":
                connections.reset(request)
                raise ConnectionResetError
            case "hang":
                await asyncio.Event().wait()
            case "lost":
                connections.spoil(request, partial(connections.Cut, share=None, stream=0))
            case "half":
                chance = random.Random(f"{rule}:{self._met[str(rule)]}")  # noqa: S311
                cut = partial(connections.Cut, share=chance.random(), stream=chance.randrange(200))
                connections.spoil(request, cut)
            case "slow":
                connections.spoil(request, partial(connections.Slow, speed=number))
        return None

    def _refusal(self, rule: Rule) -> web.Response | None:
        number = rule.number or 0.0
        now = time.monotonic()
        if rule.kind == "at-once":
            # E2B's wording has two parts: what has happened, and which limit applies.
            full = self._alive() >= number
            wrong = f"you have reached the limit of sandboxes at once ({number:g})" if full else ""
        else:
            while self._admitted and now - self._admitted[0] >= max(1.0, 1 / number):
                self._admitted.popleft()
            full = len(self._admitted) >= max(1.0, number)
            wrong = f"{number:g} sandboxes may be created a second" if full else ""
            if not full:
                self._admitted.append(now)
        if not full:
            return None
        self._met[str(rule)] += 1
        return _error(429, f"{_MESSAGES[429]} - {wrong}", None)

    async def _passed_on(
        self, request: web.BaseRequest, handler: Handler, happening: Sequence[Rule], *, creates: bool
    ) -> web.StreamResponse:
        if not creates:
            self._end_soon(sandbox_of(request), happening)
            return await handler(request)
        self._creating += 1
        self._most_at_once = max(self._most_at_once, self._alive())
        try:
            response = await handler(request)
        finally:
            self._creating -= 1
        if response.status == 201 and isinstance(response, web.Response) and isinstance(response.body, bytes):
            self._note_created()
            self._end_soon(json.loads(response.body)["sandboxID"], happening)
        return response

    def _end_soon(self, sandbox_id: str, happening: Sequence[Rule]) -> None:
        for rule in happening:
            if rule.kind == "expire" and (sandbox := self._table.get(sandbox_id)) is not None:
                self._table.expire_in(sandbox, rule.number or 0.0)
            elif rule.kind == "vanish":
                asyncio.get_running_loop().call_later(rule.number or 0.0, self._vanish, sandbox_id)

    def _vanish(self, sandbox_id: str) -> None:
        if (sandbox := self._table.get(sandbox_id)) is not None:
            self._table.kill(sandbox)

    def _alive(self) -> int:
        return len(list(self._table.all())) + self._creating

    def _note_created(self) -> None:
        now = time.monotonic()
        self._calls["created"] += 1
        self._created.append(now)
        while now - self._created[0] >= 1:
            self._created.popleft()
        self._most_in_a_second = max(self._most_in_a_second, len(self._created))

    def _report(self) -> dict[str, Any]:
        return {
            "calls": {name: count for name, count in sorted(self._calls.items()) if name},
            "faults": {str(rule): self._met[str(rule)] for rule, _ in self._chances},
            "alive": self._alive(),
            "most_at_once": self._most_at_once,
            "most_created_in_a_second": self._most_in_a_second,
        }


def _error(status: int, message: str, retry_after: float | None) -> web.Response:
    # Without Should-Retry, like the cloud: the SDK has to decide whether to try again.
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return json_response({"code": status, "message": message}, status, headers)
