"""How a request to the fork server or an agent fails: a code of the Connect protocol and a message for people."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """The codes that the guest gives."""

    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    INVALID_ARGUMENT = "invalid_argument"
    FAILED_PRECONDITION = "failed_precondition"
    PERMISSION_DENIED = "permission_denied"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    INTERNAL = "internal"


class RequestError(Exception):
    """A request that cannot be met."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code

    def answer(self) -> dict[str, str]:
        """Return the error as it goes over the channel."""
        return {"code": self.code.value, "message": str(self)}


_CODES: Final = {
    errno.ENOENT: Code.NOT_FOUND,
    errno.EEXIST: Code.ALREADY_EXISTS,
    errno.EACCES: Code.PERMISSION_DENIED,
    errno.EPERM: Code.PERMISSION_DENIED,
    errno.EROFS: Code.PERMISSION_DENIED,
    errno.EBUSY: Code.FAILED_PRECONDITION,
    errno.ENOTEMPTY: Code.FAILED_PRECONDITION,
    errno.EAGAIN: Code.RESOURCE_EXHAUSTED,
    errno.EDQUOT: Code.RESOURCE_EXHAUSTED,
    errno.EFBIG: Code.RESOURCE_EXHAUSTED,
    errno.EMFILE: Code.RESOURCE_EXHAUSTED,
    errno.ENFILE: Code.RESOURCE_EXHAUSTED,
    errno.ENOMEM: Code.RESOURCE_EXHAUSTED,
    errno.ENOSPC: Code.RESOURCE_EXHAUSTED,
    errno.EISDIR: Code.INVALID_ARGUMENT,
    errno.EINVAL: Code.INVALID_ARGUMENT,
    errno.ELOOP: Code.INVALID_ARGUMENT,
    errno.ENAMETOOLONG: Code.INVALID_ARGUMENT,
    errno.ENOTDIR: Code.INVALID_ARGUMENT,
}


def from_os_error(error: OSError, what: str) -> RequestError:
    """Return the request's error for a failed system call.

    Parameters:
        what: what was tried, with the path as the guest sees it.
    """
    code = _CODES.get(error.errno or 0, Code.INTERNAL)
    return RequestError(code, f"{what}: {error.strerror or error}")
