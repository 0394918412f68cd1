"""How a guest's refusal is answered: by codes from which clients can tell what has failed.

What is in a sandbox, and so whoever ran there, is answered for by 4xx and 507, in Connect by `invalid_argument`,
`not_found`, `already_exists`, `permission_denied` and `failed_precondition`. Every other 5xx, and every other code of
Connect's, is the server's own failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_rewardkit.local.wire.peer import GuestError

_STATUSES: Final = {"permission_denied": 403, "not_found": 404, "resource_exhausted": 507, "unavailable": 503}


def http_status(error: GuestError, *, otherwise: int = 400) -> int:
    """The status with which `error` is answered.

    Parameters:
        otherwise: that of a refusal which has none of its own.
    """
    return _STATUSES.get(error.code, otherwise)


def connect_code(error: GuestError) -> str:
    """The code of Connect's with which `error` is answered."""
    # As `resource_exhausted`, SDKs would take it for a limit of the service's.
    return "failed_precondition" if error.code == "resource_exhausted" else error.code
