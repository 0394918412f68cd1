"""Guest code runs where the package is not installed, in whichever Python."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.datasets.testcode import sending
from pytest_rewardkit.scorers.guest import figure_charts, figures
from pytest_rewardkit.scorers.running import evaluation, shipping

if TYPE_CHECKING:
    from types import ModuleType

SHIPMENTS = {
    "questions": evaluation.ANSWERING,
    "figures": (figure_charts, figures),
    "candidates of rows": sending.OPERATION_RUNNER,
    "unit tests": sending.UNIT_TESTS,
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
