"""All errors of the local server and of its guests, as a tree, and the codes of errors on the wire.

Only the module that answers requests (api/errors.py) turns them into HTTP's statuses and Connect's codes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """The codes of the Connect protocol; guests answer with them too."""

    CANCELED = "canceled"
    UNKNOWN = "unknown"
    INVALID_ARGUMENT = "invalid_argument"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    PERMISSION_DENIED = "permission_denied"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    FAILED_PRECONDITION = "failed_precondition"
    UNIMPLEMENTED = "unimplemented"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"
    UNAUTHENTICATED = "unauthenticated"


GUEST_CODES: Final = frozenset(
    {
        Code.NOT_FOUND,
        Code.ALREADY_EXISTS,
        Code.INVALID_ARGUMENT,
        Code.FAILED_PRECONDITION,
        Code.PERMISSION_DENIED,
        Code.RESOURCE_EXHAUSTED,
        Code.UNIMPLEMENTED,
    }
)
"""The codes with which a guest may refuse a request."""

MAX_ERROR_CHARACTERS: Final = 2000


class LocalError(Exception):
    """The base of all errors of the local server.

    Attributes:
        code: the error's name on the wire.
    """

    code: Code = Code.INTERNAL


class UnsupportedError(LocalError):
    """This machine cannot do what was requested; the message says why, and what would help if anything does."""

    code = Code.FAILED_PRECONDITION


class UnsupportedPlatformError(UnsupportedError):
    """The local server cannot work on this machine."""


class NoSuchLevelError(UnsupportedError):
    """The requested isolation is not possible here."""


class ContainerError(UnsupportedError):
    """A container is not possible."""


class TemplateError(UnsupportedError, ValueError):
    """A template is described wrongly.

    Parameters:
        key: the key of its table that is wrong; None for the whole table.
        message: the mistake, and the nearest correct form.
    """

    def __init__(self, key: str | None, message: str) -> None:
        super().__init__(message)
        self.key = key


class UnknownTemplateError(UnsupportedError):
    """There is no template with that name."""


class BuildError(UnsupportedError):
    """A template cannot be made."""


class StepError(BuildError):
    """A step cannot be done here.

    Parameters:
        step: its number in the SDK's count, from 1; or the name of the work before or after the steps.
        message: why, and the alternative.
    """

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


class PreloadError(UnsupportedError):
    """A module cannot be imported in advance."""


class RefusedModuleError(PreloadError):
    """A module does something forbidden when it is imported in advance.

    Parameters:
        module: the module's name.
        reason: what the module does.
    """

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"{module} cannot be imported in advance: {reason}")
        self.module = module


class CanaryError(UnsupportedError):
    """A sandbox does not work as it should."""


class RequestError(LocalError):
    """A request that cannot be met, because of the request or its target.

    Parameters:
        code: the reason.
        message: the reason, for people.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def answer(self) -> dict[str, str]:
        """Return the error in its form on the wire."""
        return {"code": self.code.value, "message": self.message}


class BadPathError(RequestError):
    """A path that no sandbox can have."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)


class TooManySandboxesError(RequestError):
    """The server has reached its limit of live sandboxes."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.RESOURCE_EXHAUSTED, message)


class NoInternetError(RequestError):
    """At this isolation level a sandbox cannot have internet."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.UNIMPLEMENTED, message)


class GuestError(RequestError):
    """A guest refused a request.

    Parameters:
        code: a code that is not in `GUEST_CODES` counts as `failed_precondition`: something in the sandbox keeps the
            guest from meeting the request.
        message: the guest's message, cut to a limited length.
    """

    def __init__(self, code: object, message: object) -> None:
        known = Code(code) if isinstance(code, str) and code in GUEST_CODES else Code.FAILED_PRECONDITION
        super().__init__(known, str(message)[:MAX_ERROR_CHARACTERS])


class GuestSilentError(GuestError):
    """A guest did not answer in time, which says nothing about the contents of its sandbox."""

    def __init__(self, message: object) -> None:
        super().__init__(None, message)
        self.code = Code.UNAVAILABLE


class SandboxFailedError(LocalError):
    """A sandbox, or a part of the server that makes sandboxes, has failed."""

    code = Code.UNAVAILABLE


class GuestGoneError(SandboxFailedError):
    """The guest ended before it answered."""


class ForkServerError(SandboxFailedError):
    """The fork server cannot make sandboxes."""


class SnapshotError(SandboxFailedError):
    """A sandbox's files could not be packed or unpacked."""


class UnansweredError(LocalError):
    """Something did not happen in time; the message says what, and how long the wait was."""

    code = Code.DEADLINE_EXCEEDED


class ChannelError(LocalError):
    """The other side of a channel broke the framing, or sent a message that breaks the protocol."""

    code = Code.INVALID_ARGUMENT


class NotPlainError(LocalError):
    """A candidate's value has no JSON form, or its form is too large or too deep."""

    code = Code.INVALID_ARGUMENT


class ElsewhereError(LocalError, OSError):
    """A socket's address is not a path of the sandbox's own."""
