"""Code run without the SDK's HTTP client gives the same result as with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2b import NotFoundException, TimeoutException
from e2b_code_interpreter import Sandbox
from e2b_code_interpreter.models import Context
from servers import sdk_address, silent_server

from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.sandboxes import direct

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = (
    "1 + 1",
    "import sys; print('out'); print('err', file=sys.stderr); 'ä\\u2028b'",
    "print('x' * 300_000); print('y')",
    "1 / 0",
    "for n in range(300): print(n, flush=True)",
    "from IPython.display import HTML; display(HTML('<b>1</b>')); None",
    "(",
    "",
)

Seen = list[tuple[str, Any]]


def seen(run: Callable[..., Any], code: str) -> tuple[Any, Seen]:
    """The result of a run, and what its handlers received."""
    given: Seen = []
    handlers = {
        "on_stdout": lambda message: given.append(("stdout", message.line)),
        "on_stderr": lambda message: given.append(("stderr", message.line)),
        "on_result": lambda result: given.append(("result", vars(result))),
    }
    done = run(code, timeout=60, **handlers)
    # How much printed text arrives at once depends on timing.
    texts = {kind: "".join(text for one, text in given if one == kind) for kind in ("stdout", "stderr")}
    results = [{"chart": None, **item} for kind, item in given if kind == "result"]
    error = done.error and (done.error.name, done.error.value)
    return (error, done.execution_count is None), [*texts.items(), *results]


@pytest.fixture
def directly(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each call went the direct way."""
    calls: list[bool] = []
    found = direct._way

    def noted(sandbox: Sandbox) -> Any:
        way = found(sandbox)
        calls.append(way is not None)
        return way

    monkeypatch.setattr(direct, "_way", noted)
    return calls


def test_it_comes_to_the_same(sandbox: Sandbox, directly: list[bool]) -> None:
    context = sandbox.create_code_context()
    for code in CODES:
        ours = seen(lambda code, **options: direct.run_code(sandbox, code, context=context, **options), code)
        sdks = seen(lambda code, **options: sandbox.run_code(code, context=context, **options), code)
        assert ours == sdks
    assert directly == [True] * len(CODES)


def test_it_fails_as_the_sdks_does(sandbox: Sandbox, address: dict[str, str], directly: list[bool]) -> None:
    nowhere = Context("no-such-context", "python", "/home/user")
    with pytest.raises(NotFoundException) as ours:
        direct.run_code(sandbox, "1", context=nowhere, timeout=60)
    with pytest.raises(NotFoundException) as sdks:
        sandbox.run_code("1", context=nowhere, timeout=60)
    assert str(ours.value) == str(sdks.value)
    other = Sandbox.create(**address)
    context, begun = other.create_code_context(), threading.Event()
    killing = threading.Thread(target=lambda: begun.wait() and other.kill())
    killing.start()
    with pytest.raises(TimeoutException, match="was killed"):
        direct.run_code(
            other,
            "print(1, flush=True); import time; time.sleep(60)",
            context=context,
            timeout=60,
            on_stdout=lambda _: begun.set(),
        )
    killing.join()
    with pytest.raises(TimeoutException):
        direct.run_code(sandbox, "import time; time.sleep(60)", context=sandbox.create_code_context(), timeout=0.2)
    assert directly == [True] * 3


@pytest.mark.parametrize("fault", ["half", "reset", "lost"])
def test_an_answer_that_breaks_off_is_as_the_sdks(fault: str) -> None:
    with silent_server(ServerSettings(faults=f"execute:{fault}", warm_sandboxes=1)) as server:
        sandbox = Sandbox.create(**sdk_address(server))
        context = sandbox.create_code_context()
        for _ in range(3):
            with pytest.raises(httpx.NetworkError) as sdks:
                sandbox.run_code("print('x' * 100_000)", context=context)
            with pytest.raises(type(sdks.value)):
                direct.run_code(sandbox, "print('x' * 100_000)", context=context, timeout=60)


def test_who_has_taken_the_methods_place_is_asked(
    sandbox: Sandbox, directly: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sandbox, "run_code", lambda *_, **__: "taken")
    assert direct.run_code(sandbox, "1", context=Context("a", "python", "/"), timeout=60) == "taken"
    assert directly == [False]
