"""How long the server waits for what may never come. Past a bound there is an error that names what it waited for.

The end of a process is seen at once, so a bound is only for one that lives and does not answer. Each is some hundred
times what a quiet machine needs: on a busy one, what is late is not broken.

Waits without a bound here are for a candidate or a client, and end with its request or its sandbox.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import UnansweredError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of one server, in seconds, and one number.

    Parameters:
        boot: until a fork server can make sandboxes.
        sandbox: until a fork server has made a sandbox and its interpreter runs.
        create: until a request for a sandbox is answered, however many attempts that takes; the plugin waits for
            240 s, SDKs for 60 s.
        order: until a fork server has killed, paused or resumed a sandbox.
        request: until a sandbox's guest answers; clients wait for 60 s.
        tool: until files are packed or unpacked.
        body: until the next piece of a request's body arrives.
        end: until a fork server that has to end has ended; after that it is killed.
        failures: how many fork servers in a row may fail before the next request is refused at once, with the reason.
        rest: until another one is tried after that.
    """

    boot: float = 120.0
    sandbox: float = 60.0
    create: float = 230.0
    order: float = 30.0
    request: float = 50.0
    tool: float = 120.0
    body: float = 60.0
    end: float = 5.0
    failures: int = 3
    rest: float = 30.0


BOUNDS = Bounds()


@asynccontextmanager
async def bounded(seconds: float, what: str) -> AsyncIterator[None]:
    """Limit the time that the body of the ``with`` may take.

    Parameters:
        seconds: how long.
        what: the event that has then not happened, as a sentence without its end: `the fork server did not answer`.

    Raises:
        UnansweredError: it took longer.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise UnansweredError(f"{what} within {seconds:g} s") from None
