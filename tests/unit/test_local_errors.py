"""The class tree of the local server's errors, and the answers to them."""

import ast
from pathlib import Path

import pytest

from pytest_rewardkit.local import errors
from pytest_rewardkit.local.api.errors import (
    CONNECT_STATUSES,
    ApiError,
    ConnectError,
    connect_error,
    control_error,
    traffic_error,
)
from pytest_rewardkit.local.errors import (
    GUEST_CODES,
    BadPathError,
    ChannelError,
    Code,
    ForkServerError,
    GuestError,
    GuestGoneError,
    GuestSilentError,
    LocalError,
    NoInternetError,
    SnapshotError,
    TooManySandboxesError,
)

PACKAGE = Path(errors.__file__).parent
BESIDE = {"ApiError", "NotServedError", "ConnectError", "RefusedError"}
"""Errors about HTTP and aiohttp, which the guest does not know."""


def classes():
    """Every class of the package whose name says that it is an error, with its bases and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Exception", "Failed")):
                yield node.name, [ast.unparse(base) for base in node.bases], path.relative_to(PACKAGE)


def test_there_is_one_tree_in_one_module():
    beside = {name: (bases, place) for name, bases, place in classes() if place != Path("errors.py")}
    assert beside.keys() == BESIDE
    assert all(place.parts[0] == "api" for _, place in beside.values())
    assert all(set(bases) <= {"LocalError", "ApiError"} for bases, _ in beside.values())
    tree = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(tree) > 15
    assert all(issubclass(error, LocalError) and isinstance(error.code, Code) for error in tree)


def test_every_code_has_a_status():
    assert CONNECT_STATUSES.keys() == set(Code)


@pytest.mark.parametrize(
    "code", [*sorted(GUEST_CODES), "internal", "unavailable", "", "\0", None, 3, ["not_found"], {}]
)
def test_a_guest_can_only_say_what_is_in_its_sandbox(code):
    error = GuestError(code, "no" * 5000)
    assert error.code == (code if isinstance(code, str) and code in GUEST_CODES else Code.FAILED_PRECONDITION)
    assert len(error.message) == errors.MAX_ERROR_CHARACTERS
    assert GuestSilentError("late").code is Code.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "control", "traffic", "connect"),
    [
        (GuestError(Code.NOT_FOUND, "x"), 500, 404, Code.NOT_FOUND),
        (GuestError(Code.ALREADY_EXISTS, "x"), 500, 400, Code.ALREADY_EXISTS),
        (GuestError(Code.PERMISSION_DENIED, "x"), 500, 403, Code.PERMISSION_DENIED),
        (GuestError(Code.RESOURCE_EXHAUSTED, "x"), 500, 507, Code.FAILED_PRECONDITION),
        (GuestError("odd", "x"), 500, 400, Code.FAILED_PRECONDITION),
        (GuestSilentError("x"), 500, 503, Code.UNAVAILABLE),
        (GuestGoneError("x"), 500, 502, Code.UNAVAILABLE),
        (ForkServerError("x"), 500, None, None),
        (SnapshotError("x"), 500, None, None),
        (TooManySandboxesError("x"), 429, None, Code.FAILED_PRECONDITION),
        (NoInternetError("x"), 501, None, Code.UNIMPLEMENTED),
        (BadPathError("x"), None, 400, Code.INVALID_ARGUMENT),
        (ApiError(413, "x"), 413, 413, None),
        (ConnectError(Code.NOT_FOUND, "x"), None, None, Code.NOT_FOUND),
        (ChannelError("x"), None, None, None),
    ],
)
def test_how_errors_are_answered(error, control, traffic, connect):
    """None means that nothing answers it there: it is the server's own bug, and goes to its log."""
    ways = (
        (lambda: control_error(error).status, control),
        (lambda: traffic_error(error, "i").status, traffic),
        (lambda: connect_error(error).code, connect),
    )
    for answered, expected in ways:
        if expected is None:
            with pytest.raises(type(error)) as raised:
                answered()
            assert raised.value is error
        else:
            assert answered() == expected


def test_an_error_of_the_system_keeps_its_number():
    error = errors.ElsewhereError(13, "no")
    assert (error.errno, error.strerror) == (13, "no")
    assert isinstance(error, OSError)
