"""Guest code called without a cell gives the same result as in a cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from pytest_rewardkit.datasets.testcode.sending import MAX_CELL, OPERATION_RUNNER, Line
from pytest_rewardkit.sandboxes import direct, nearby_sandbox
from pytest_rewardkit.sandboxes.lazy import end, is_lazy, lazily, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox

CANDIDATES = {
    "right": ("def f(): print('seen'); return {'ä': (1, 2.5)}", 10.0),
    "raises": ("def f(): raise ValueError('no')", 10.0),
    "does not compile": ("def f(:", 10.0),
    "exits": ("def f(): raise SystemExit(3)", 10.0),
    "interrupts itself": ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGINT)", 10.0),
    "ends its process": ("import os\ndef f(): os._exit(0)", 10.0),
    "gives much": (f"def f(): return 'x' * {MAX_CELL}", 10.0),
    "never ends": ("import signal\nsignal.setitimer = lambda *_: None\ndef f():\n    while True: pass", 0.5),
    "forgets the guest's code": (
        "import sys\n[sys.modules.pop(name) for name in [*sys.modules] if name.startswith('rewardkit_')]\n"
        "def f(): return 1",
        10.0,
    ),
    "replaces what answers": (
        "import json\njson.dumps = lambda *_, **__: '{\"value\": 7}'\ndef f(): return 1",
        10.0,
    ),
    "closes what there is": ("import os\ndef f(): os.closerange(3, 100)", 10.0),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The requests that reached interpreters without the SDK."""
    seen: list[str] = []
    run = direct._run

    def noted(*arguments: Any) -> Any:
        seen.extend(arguments[3].keys() - {"context_id"})
        return run(*arguments)

    monkeypatch.setattr(direct, "_run", noted)
    return seen


def replies(sandbox: Sandbox, source: str, limit: float) -> list[Any]:
    """The results of loading a candidate, and of asking it twice."""
    line = Line(sandbox, OPERATION_RUNNER, starts_with_call=True)
    found: list[Any] = []
    for number in (1, 3):
        operations = [
            {"id": number, "do": "name", "name": "f"},
            {"id": number + 1, "do": "call", "of": number, "args": [], "kwargs": {"dict": []}},
        ]
        task = {"sources": [source], "earlier": [], "operations": operations, "seconds": 5.0, "seconds_in_all": 5.0}
        reply = line.call("execute", task, limit=limit)
        found.append((re.sub("0x[0-9a-f]+", "", reply.text), reply.verdict, reply.reason, line.alive))
    return found


@pytest.mark.parametrize("name", CANDIDATES)
def test_it_comes_to_the_same(name: str, address: dict[str, Any], asked: list[str]) -> None:
    source, limit = CANDIDATES[name]
    sandboxes = [_made(address), _made(address)]
    try:
        by_cells = replies(opened(sandboxes[0]), source, limit)
        assert set(asked) == {"code"}
        asked.clear()
        assert replies(sandboxes[1], source, limit) == by_cells
        assert asked[0] == "call"
    finally:
        for sandbox in sandboxes:
            end(sandbox)


def test_a_row_needs_calls_alone(address: dict[str, Any], asked: list[str]) -> None:
    sandbox = _made(address)
    assert replies(sandbox, *CANDIDATES["right"])[0][1] is None
    assert asked == ["call", "call"]
    assert is_lazy(sandbox)
    end(sandbox)


@pytest.mark.parametrize(
    "call", ["[]", '{"mark": "a"}', '{"mark": "a", "module": "b", "function": 3, "arguments": []}']
)
def test_what_is_no_call_is_refused(call: str, address: dict[str, Any]) -> None:
    made = nearby_sandbox.create({}, address, "", limits="", within=30)
    assert made is not None
    headers = {"E2b-Sandbox-Id": made.sandbox_id, "E2b-Sandbox-Port": "49999", "E2B-Traffic-Access-Token": made.token}
    request = Request(f"{made.ports.geturl()}/execute", f'{{"call": {call}}}'.encode(), headers)
    with pytest.raises(OSError, match="400"):
        urlopen(request)
    made.kill()


def _made(address: dict[str, Any]) -> Sandbox:
    def create() -> NearbySandbox:
        made = nearby_sandbox.create({}, address, "", limits="", within=30)
        assert made is not None
        return made

    return lazily(create, lambda made: made.kill())
