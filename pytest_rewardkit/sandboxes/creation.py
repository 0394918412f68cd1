"""Creates a sandbox by the SDK, and tells infrastructure failures from misuse."""

from __future__ import annotations

import itertools
import time
import uuid
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.sandboxes.again import again, pause_after
from pytest_rewardkit.sandboxes.authorities import NO_AUTHORITIES, has_authorities
from pytest_rewardkit.sandboxes.ended_server import ended_server
from pytest_rewardkit.sandboxes.failures import says_nothing
from pytest_rewardkit.sandboxes.lifetime import Life, share_life
from pytest_rewardkit.sandboxes.options import create_keywords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from e2b_code_interpreter import AsyncSandbox, Sandbox

S = TypeVar("S", "Sandbox", "AsyncSandbox")

PATIENCE: Final = 300.0
"""Seconds to keep asking for a sandbox while the service says that there are too many."""


def create(
    *,
    within: float | None = None,
    patience: float = 0.0,
    pace: Callable[[], AbstractContextManager[object]] = nullcontext,
    on_retry: Callable[[], None] = lambda: None,
    **options: Any,
) -> Sandbox:
    """Return a sandbox made by the SDK.

    Parameters:
        within: seconds until the answer must arrive, unless the options say otherwise; None for the SDK's own limit.
            Other requests to the sandbox have the SDK's limit.
        patience, on_retry: as for `again`.
        pace: entered for each request; it may wait until the request is allowed.
        options: the SDK's.

    Raises:
        SandboxUnavailable: it could not be created.
    """
    from e2b_code_interpreter import Sandbox

    keywords = _keywords(within, options)

    def once() -> Sandbox:
        with pace():
            return Sandbox.create(**keywords)

    with infrastructure_failures():
        return _as_usual(again(once, patience=patience, on_retry=on_retry), options)


async def create_async(
    *,
    within: float | None = None,
    patience: float = 0.0,
    pace: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
    on_retry: Callable[[], None] = lambda: None,
    **options: Any,
) -> AsyncSandbox:
    """Like `create`, for the asynchronous SDK."""
    import asyncio  # loaded with the SDK; a run without sandboxes loads neither

    from e2b_code_interpreter import AsyncSandbox

    keywords = _keywords(within, options)
    begun = time.monotonic()
    with infrastructure_failures():
        for tries in itertools.count():
            try:
                async with pace():
                    return _as_usual(await AsyncSandbox.create(**keywords), options)
            except Exception as error:
                if (pause := pause_after(error, tries, time.monotonic() - begun, patience)) is None:
                    raise
            await asyncio.sleep(pause)
            on_retry()
    raise AssertionError("every try ends in one way or the other")


def _keywords(within: float | None, options: dict[str, Any]) -> dict[str, Any]:
    keywords = options if within is None else {"request_timeout": within, **options}
    # With a key, a repeated request returns the same sandbox, and no second one is left behind.
    if "idempotency_key" in create_keywords():
        keywords = {"idempotency_key": str(uuid.uuid4()), **keywords}
    return keywords


def _as_usual(sandbox: S, options: Mapping[str, Any]) -> S:
    from e2b.connection_config import REQUEST_TIMEOUT

    share_life(sandbox, Life.of_new(options.get("timeout")))
    if options.get("request_timeout") is None:
        sandbox.connection_config.request_timeout = REQUEST_TIMEOUT
    return sandbox


@contextmanager
def infrastructure_failures() -> Iterator[None]:
    """Turn what the SDK raises for a lost service into SandboxUnavailable."""
    from e2b.exceptions import RateLimitException

    try:
        yield
    except RateLimitException as error:
        raise SandboxUnavailable(
            f"{error} (say what the account allows with --rewardkit-quota, as hobby, pro or 20,1)"
        ) from error
    except Exception as error:
        if not says_nothing(error):
            raise
        text = f"no sandbox could be created: {type(error).__name__}: {error}"
        hint = ended_server() if has_authorities() else NO_AUTHORITIES
        raise SandboxUnavailable(f"{text} ({hint})" if hint else text) from error
