"""Guest code runs where the package is not installed, in any Python."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.datasets.testcode import sending, unit_tests
from pytest_rewardkit.datasets.testcode.guest import replying
from pytest_rewardkit.local.prepared import PREPARED, mark
from pytest_rewardkit.scorers.guest import figure_charts, figures
from pytest_rewardkit.scorers.running import evaluation, shipping

if TYPE_CHECKING:
    from types import ModuleType

SHIPMENTS = {
    "questions": evaluation.ANSWERING,
    "figures": (figure_charts, figures),
    "candidates of rows": sending.OPERATION_RUNNER,
    "unit tests": unit_tests.UNIT_TESTS,
    "tests of rows": sending.TEST_RUNNER,
}


@pytest.mark.parametrize("modules", SHIPMENTS.values(), ids=SHIPMENTS)
@pytest.mark.parametrize("python", ["this", "another"])
def test_guest_code_needs_the_standard_library_alone(modules: tuple[ModuleType, ...], python: str) -> None:
    loading = shipping._loading(modules)
    if python == "another":
        loading = loading.replace(repr(sys.implementation.cache_tag), "'another-1'")
    names = [module.__name__ for module in modules]
    code = (
        f"builtins = __builtins__.__dict__\n{loading}\nimport sys\nprint(all(name in sys.modules for name in {names}))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-"], input=code, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_sandboxes_of_local_servers_have_the_code_that_is_sent_most() -> None:
    shipped = (*evaluation.ANSWERING, *sending.OPERATION_RUNNER, *sending.TEST_RUNNER, replying)
    assert sorted(PREPARED) == sorted({module.__name__ for module in shipped})


def test_prepared_code_has_another_mark_when_it_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mark().startswith("rewardkit_")
    monkeypatch.setattr("pytest_rewardkit.local.prepared.PREPARED", PREPARED[1:])
    mark.cache_clear()
    try:
        other = mark()
    finally:
        monkeypatch.undo()
        mark.cache_clear()
    assert other.startswith("rewardkit_")
    assert other != mark()


def test_prepared_code_is_absent_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_rewardkit.local.prepared.PREPARED", ("pytest_rewardkit_elsewhere.guest.loading",))
    mark.cache_clear()
    try:
        assert mark() == ""
    finally:
        mark.cache_clear()
