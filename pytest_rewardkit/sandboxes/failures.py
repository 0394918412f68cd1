"""What an exception of the SDK says: that the infrastructure failed, that a sandbox refused, or neither.

The one map of them. Codes decide, never words: those of Connect and of HTTP, and the names by which the local server
says how a sandbox has ended. What of this E2B's cloud tells too is in docs/explanation/whose-fault.md.
"""

from __future__ import annotations

import re
from traceback import walk_tb
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.endings import FROM_WITHIN, HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

# The SDK lets through what the libraries below it raise: connectrpc's errors of commands and files, pyqwest's of
# connections, protobuf's of answers that are none, h2's and httpcore's where older SDKs use them.
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
# What the SDK comes upon in an answer that is no JSON, or another than the protocol has.
_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError)

_REFUSALS: Final = ("invalid_argument", "not_found", "already_exists", "permission_denied", "failed_precondition")
"""Connect's codes by which a sandbox's daemon says that what is in the sandbox keeps it from what it was asked."""

# The SDK has no class for these statuses, and begins its text with them.
_STATUS: Final = re.compile(r"(403|409|507)\b")


GONE: Final = 410


def is_of_infrastructure(error: BaseException) -> bool:
    """Whether `error` was raised by the SDK, by what is below it, or by the system when it was asked to connect."""
    return isinstance(error, OSError) or _is_of_sdk(type(error).__module__)


def says_nothing(error: BaseException) -> bool:
    """Whether `error`, raised by a call of the SDK with right arguments, leaves open what came of the call."""
    from e2b import InvalidArgumentException

    if isinstance(error, InvalidArgumentException):
        return False  # our mistake, or the test's
    # The SDK raises a bare Exception where a command's stream ends without its end.
    if isinstance(error, _MALFORMED) or type(error) is Exception:
        return any(_is_of_sdk(frame.f_globals.get("__name__", "")) for frame, _ in walk_tb(error.__traceback__))
    return is_of_infrastructure(error)


def is_refusal(error: BaseException) -> bool:
    """Whether a sandbox itself has refused a call, by a code that stands for what is in it or for what was asked."""
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
    """Whether an exception says that a sandbox could not be used, and not that something in it, or a file, failed.

    What that is worth is for the test to say, as by an assertion.
    """
    from e2b import CommandExitException

    if isinstance(error, CommandExitException) or is_refusal(error):
        return False
    return not isinstance(error, OSError) or isinstance(error, ConnectionError | TimeoutError)


def has_ended_itself(sandbox: Sandbox) -> bool:
    """Whether a sandbox is gone because of what ran in it; the local server alone tells."""
    from e2b import SandboxException

    try:
        sandbox.get_info(api_headers={HEADER: "1"})
    except SandboxException as error:
        return error.status_code == GONE and str(error).endswith(FROM_WITHIN)
    except Exception:
        return False
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those that it was raised from or beside."""
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__ or error


def _is_of_sdk(module: str) -> bool:
    return module.partition(".")[0] in _PACKAGES
