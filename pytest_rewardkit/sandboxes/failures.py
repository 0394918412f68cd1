"""Which exceptions say that the infrastructure failed, and not that somebody used it wrongly."""

from __future__ import annotations

from traceback import walk_tb
from typing import Final

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


def _is_of_sdk(module: str) -> bool:
    return module.partition(".")[0] in _PACKAGES
