"""What an exception of the SDK means: the infrastructure failed, a sandbox refused a call, or neither.

This is the only such map. It decides by codes, never by text: those of Connect and of HTTP, and the names by which the
local server says how a sandbox has ended. docs/explanation/whose-fault.md says which of them E2B's cloud reports too.
"""

from __future__ import annotations

import re
from traceback import walk_tb
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.endings import FROM_WITHIN, HEADER, OWN_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

# The SDK does not wrap the errors of the libraries below it: connectrpc's for commands and files, pyqwest's for
# connections, protobuf's for malformed answers, and those of h2 and httpcore in older SDKs.
_PACKAGES: Final = frozenset(
    {
        "e2b",
        "e2b_code_interpreter",
        "connectrpc",
        "pyqwest",
        "protobuf",
        "google",
        "httpx",
        "httpcore",
        "h2",
        "h11",
        "ssl",
    }
)
# What the SDK raises for an answer that is not JSON, or does not follow the protocol.
_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError)

_REFUSALS: Final = ("invalid_argument", "not_found", "already_exists", "permission_denied", "failed_precondition")
"""Connect's codes by which a sandbox's daemon says that the sandbox's contents prevent the requested operation."""

# The SDK has no class for these statuses, and its text begins with them.
_STATUS: Final = re.compile(r"(403|409|507)\b")


GONE: Final = 410


def is_of_infrastructure(error: BaseException) -> bool:
    """Whether `error` comes from the SDK, from a library below it, or from the system during a connection attempt."""
    return isinstance(error, OSError) or _is_of_sdk(type(error).__module__)


def says_nothing(error: BaseException) -> bool:
    """Whether `error`, raised by a correct call of the SDK, leaves the call's outcome open."""
    from e2b import InvalidArgumentException

    if isinstance(error, InvalidArgumentException):
        return False  # our mistake, or the test's
    # The SDK raises a bare Exception if a command's stream stops before its end event.
    if isinstance(error, _MALFORMED) or type(error) is Exception:
        return any(_is_of_sdk(frame.f_globals.get("__name__", "")) for frame, _ in walk_tb(error.__traceback__))
    return is_of_infrastructure(error)


def is_refusal(error: BaseException) -> bool:
    """Whether a sandbox itself has refused a call, by a code that stands for its contents or for the request."""
    from connectrpc.errors import ConnectError
    from e2b import InvalidArgumentException, NotEnoughSpaceException, NotFoundException, SandboxException
    from e2b.exceptions import SandboxNotFoundException

    if isinstance(error, SandboxNotFoundException):
        return False
    if isinstance(error, InvalidArgumentException | NotEnoughSpaceException | NotFoundException):
        return True
    if not isinstance(error, SandboxException):
        return False
    if _STATUS.match(str(error)):
        return True
    return any(isinstance(one, ConnectError) and one.code.value in _REFUSALS for one in _chain(error))


def is_of_service(error: BaseException) -> bool:
    """Whether an exception says that a sandbox could not be used, not that something in it or a file operation failed.

    The test decides what such a failure is worth, for example by an assertion.
    """
    from e2b import CommandExitException

    if isinstance(error, CommandExitException) or is_refusal(error):
        return False
    return not isinstance(error, OSError) or isinstance(error, ConnectionError | TimeoutError)


def own_ending(sandbox: Sandbox) -> str:
    """How what ran in a sandbox has ended it: FROM_WITHIN or OWN_MEMORY, else ""; only the local server tells."""
    from e2b import SandboxException

    try:
        sandbox.get_info(api_headers={HEADER: "1"})
    except SandboxException as error:
        if error.status_code == GONE:
            return next((code for code in (FROM_WITHIN, OWN_MEMORY) if str(error).endswith(code)), "")
    except Exception:
        return ""
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and those that it was raised from or while handling."""
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__ or error


def _is_of_sdk(module: str) -> bool:
    return module.partition(".")[0] in _PACKAGES
