"""Creating a sandbox by the SDK, with infrastructure failures told apart from misuse."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import SandboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import AsyncSandbox, Sandbox


def create(**options: Any) -> Sandbox:
    """A sandbox by the SDK.

    Raises:
        SandboxUnavailable: it could not be had.
    """
    from e2b_code_interpreter import Sandbox

    with infrastructure_failures():
        return Sandbox.create(**options)


async def create_async(**options: Any) -> AsyncSandbox:
    """As `create`, for the asynchronous SDK."""
    from e2b_code_interpreter import AsyncSandbox

    with infrastructure_failures():
        return await AsyncSandbox.create(**options)


@contextmanager
def infrastructure_failures() -> Iterator[None]:
    """Turns what the SDK raises for a lost service into SandboxUnavailable."""
    import httpx
    from e2b import InvalidArgumentException
    from e2b.exceptions import AuthenticationException, RateLimitException, SandboxException, ServiceBusyException

    try:
        yield
    except InvalidArgumentException:
        raise  # the test's own mistake, to be shown as such
    except RateLimitException as error:
        raise SandboxUnavailable(
            f"{error} (lower the number of sandboxes alive at once with --rewardkit-max-sandboxes or -n)"
        ) from error
    except (SandboxException, AuthenticationException, ServiceBusyException, httpx.HTTPError, OSError) as error:
        raise SandboxUnavailable(f"no sandbox could be created: {type(error).__name__}: {error}") from error
