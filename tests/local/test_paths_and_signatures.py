"""Paths and signed URLs, by their rules."""

from __future__ import annotations

import pytest
from e2b.sandbox.signature import get_signature

from pytest_rewardkit.local.api.errors import ApiError
from pytest_rewardkit.local.api.paths import resolve
from pytest_rewardkit.local.api.signature import check_expiration, sign
from pytest_rewardkit.local.errors import BadPathError


@pytest.mark.parametrize(
    ("path", "absolute"),
    [
        ("", "/home/user"),
        ("~", "/home/user"),
        ("~/a", "/home/user/a"),
        ("a/b", "/home/user/a/b"),
        ("/tmp/x", "/tmp/x"),
        ("//tmp//x/", "/tmp/x"),
        ("../../../../etc", "/etc"),
        ("/a/./b/../c", "/a/c"),
        ("é %2e", "/home/user/é %2e"),
    ],
)
def test_a_path_becomes_absolute(path: str, absolute: str) -> None:
    assert resolve(path) == absolute


@pytest.mark.parametrize("path", ["~root", "~root/x", "a\0b", "x" * 5000])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(BadPathError):
        resolve(path)


@pytest.mark.parametrize("user", [None, "user"])
@pytest.mark.parametrize("expiration", [None, 60])
def test_signatures_are_the_sdk_s(user: str | None, expiration: int | None) -> None:
    theirs = get_signature("/a b:ü", "write", user, "token", expiration)
    end = str(theirs["expiration"]) if expiration else None
    assert sign("/a b:ü", "write", user or "", "token", end) == theirs["signature"]


def test_a_signature_ends() -> None:
    check_expiration(None)
    check_expiration("99999999999")
    with pytest.raises(ApiError, match="signature is already expired"):
        check_expiration("1")
    with pytest.raises(ApiError, match="must be a number"):
        check_expiration("tomorrow")
