"""Which exceptions say nothing about a candidate."""

import httpx
import pyqwest
import pytest
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from e2b import InvalidArgumentException
from e2b import exceptions as e2b
from e2b_code_interpreter import Context

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.sandboxes.creation import infrastructure_failures
from pytest_rewardkit.scorers.interpreter import sandbox_failures

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
@pytest.mark.parametrize("error", [InvalidArgumentException, RewardkitUsageError, AssertionError, KeyboardInterrupt])
def test_mistakes_of_the_test_are_not(failures, error):
    with pytest.raises(error), failures():
        raise error
