"""The exceptions that say nothing about a candidate."""

import httpx
import pyqwest
import pytest
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from e2b import InvalidArgumentException, SandboxException
from e2b import exceptions as e2b
from e2b.envd.rpc import handle_rpc_exception
from e2b_code_interpreter import Context

from pytest_rewardkit.errors import RewardkitUsageError, SandboxSpoilt, SandboxUnavailable
from pytest_rewardkit.sandboxes.creation import infrastructure_failures
from pytest_rewardkit.scorers.running.failures import sandbox_failures

MAPS = pytest.mark.parametrize("failures", [sandbox_failures, infrastructure_failures])
RAISED = [
    ConnectError(Code.UNAVAILABLE, "no route"),
    ConnectError(Code.INTERNAL, "no sense"),
    pyqwest.ReadError("cut"),
    pyqwest.WriteError("cut"),
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("cut"),
    ConnectionResetError("cut"),
    TimeoutError("late"),
    e2b.AuthenticationException("key"),
    e2b.BuildException("template"),
    e2b.NotEnoughSpaceException("disk"),
    e2b.RateLimitException("quota"),
    e2b.SandboxException("500: no"),
    e2b.ServiceBusyException("later"),
    e2b.TimeoutException("late"),
]


@MAPS
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_the_sdk_lets_through_is_of_the_infrastructure(failures, error):
    with (
        pytest.raises(
            SandboxUnavailable, match=type(error).__name__ if type(error) is not e2b.RateLimitException else "quota"
        ),
        failures(),
    ):
        raise error


@MAPS
@pytest.mark.parametrize("answer", [[], {}, None, 7, "text"])
def test_an_answer_that_the_sdk_cannot_take_is_of_the_infrastructure(failures, answer):
    with pytest.raises(SandboxUnavailable), failures():
        Context.from_json(answer)


@MAPS
@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, AttributeError, Exception, RecursionError])
def test_our_own_mistakes_are_not(failures, error):
    with pytest.raises(error), failures():
        raise error


@MAPS
@pytest.mark.parametrize("error", [RewardkitUsageError, AssertionError, KeyboardInterrupt])
def test_mistakes_of_the_test_are_not(failures, error):
    with pytest.raises(error), failures():
        raise error


def test_wrong_arguments_of_a_sandbox_to_be_are_not():
    with pytest.raises(InvalidArgumentException), infrastructure_failures():
        raise InvalidArgumentException("no such template")


@pytest.mark.parametrize(
    "error",
    [
        InvalidArgumentException("path 'x' is a directory"),
        e2b.FileNotFoundException("path 'x' does not exist"),
        e2b.NotEnoughSpaceException("disk"),
        e2b.SandboxException("403: path 'x'"),
        e2b.SandboxException("409 Conflict: the interpreter could not be started"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_sandbox_refuses_is_told_by_its_code(error):
    with pytest.raises(SandboxSpoilt), sandbox_failures():
        raise error


@pytest.mark.parametrize("code", Code)
def test_connect_s_codes_tell_who_has_failed(code):
    of_sandbox = {"INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "FAILED_PRECONDITION"}
    with pytest.raises(SandboxUnavailable) as raised, sandbox_failures():
        try:
            raise ConnectError(code, "No space left on device")
        except ConnectError as error:
            raise handle_rpc_exception(error)  # noqa: B904 - as the SDK does
    assert isinstance(raised.value, SandboxSpoilt) == (code.name in of_sandbox)


@pytest.mark.parametrize(
    "error",
    [
        e2b.SandboxException("500: No space left on device"),
        e2b.SandboxException("503 Service Unavailable: 507"),
        e2b.RateLimitException("Permission denied"),
        e2b.SandboxNotFoundException("sandbox 'i0' not found"),
        e2b.SandboxNotRunningException("The sandbox was not found"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_words_decide_nothing(error):
    with pytest.raises(SandboxUnavailable) as raised, sandbox_failures():
        raise error
    assert not isinstance(raised.value, SandboxSpoilt)


def test_a_machine_without_certificates_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with (
        pytest.raises(SandboxUnavailable, match=r"builder error \(.*install ca-certificates"),
        infrastructure_failures(),
    ):
        raise SandboxException("builder error")
    (tmp_path / "one.pem").write_text("")
    with pytest.raises(SandboxUnavailable, match=r"builder error$"), infrastructure_failures():
        raise SandboxException("builder error")
