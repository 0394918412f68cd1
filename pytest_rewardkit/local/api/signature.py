"""Signatures of file URLs, which replace an access token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from pytest_rewardkit.local.api.errors import ApiError


def sign(path: str, operation: str, username: str, token: str, expiration: str | None) -> str:
    """The signature that E2B's SDK makes, version 1.

    Parameters:
        path: the path in the URL's query.
        operation: `read` or `write`.
        username: the query's `username`; empty if there is none.
        token: the sandbox's access token.
        expiration: the query's `signature_expiration`, Unix seconds in decimal.
    """
    text = ":".join([path, operation, username, token, *([expiration] if expiration is not None else [])])
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return "v1_" + base64.b64encode(digest).rstrip(b"=").decode("ascii")


def matches(signature: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that reveals nothing."""
    return hmac.compare_digest(
        signature.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )


def check_expiration(expiration: str | None) -> None:
    """Refuses a signature that is no longer valid.

    Raises:
        ApiError: it has expired (401) or its time is not a number (400).
    """
    if expiration is None:
        return
    try:
        end = int(expiration)
    except ValueError as error:
        raise ApiError(400, "signature_expiration must be a number of Unix seconds") from error
    if end < time.time():
        raise ApiError(401, "signature is already expired")
