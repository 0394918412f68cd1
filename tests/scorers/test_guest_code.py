"""Sandboxes of a local server have guest code from the start; any other sandbox receives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_rewardkit import Case, score_cases
from pytest_rewardkit.local import prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2b_code_interpreter import Execution, Sandbox

CODE = "def double(x):\n    return 2 * x"
SENT = 10_000
"""Characters: a cell that brings guest code is longer."""

Cells = list[str]


@pytest.fixture
def cells(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Cells:
    """The cells that the sandbox receives."""
    seen: Cells = []
    run: Callable[..., Execution] = sandbox.run_code

    def run_code(code: str, **options: Any) -> Execution:
        seen.append(code)
        return run(code, **options)

    monkeypatch.setattr(sandbox, "run_code", run_code)
    return seen


def score(sandbox: Sandbox) -> float | None:
    return score_cases(sandbox, CODE, [Case(call="double", args=[4], expected=8)]).value


def test_a_sandbox_of_ours_has_it(sandbox: Sandbox, cells: Cells) -> None:
    assert score(sandbox) == 1.0
    assert max(map(len, cells)) < SENT


def test_a_sandbox_elsewhere_gets_it_with_the_first_call(
    sandbox: Sandbox, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_rewardkit.sandboxes.nearby._LOOPBACK", ())
    assert score(sandbox) == 1.0
    assert [len(cell) > SENT for cell in cells] == [True] + [False] * (len(cells) - 1)


def test_a_server_of_another_version_is_sent_ours(
    sandbox: Sandbox, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "mark", lambda: "rewardkit_of_another_version")
    assert score(sandbox) == 1.0
    assert [len(cell) > SENT for cell in cells] == [False, True] + [False] * (len(cells) - 2)


def test_who_denies_having_it_was_asked_before(sandbox: Sandbox, cells: Cells) -> None:
    deny = f"import sys\nsys.modules.pop({prepared.mark()!r})\n"
    assert score_cases(sandbox, deny + CODE, [Case(call="double", args=[4], expected=8)]).value == 1.0
    assert max(map(len, cells)) < SENT
