"""A hint appears if pip finds nothing because there is no internet, and only then."""

import time

import pytest

from pytest_rewardkit.local.api.pip_hint import HINT, PipHint

FAILED = ["ERROR: Could not find a version\nERROR: No matching distri", "bution found for nope\n"]


@pytest.mark.parametrize(
    "source",
    [
        "%pip install nope",
        "!pip3 install -q nope",
        "-l -c python -m pip --no-input install nope",
        "import subprocess; subprocess.run(['pip', 'install', 'nope'])",
        "uv pip install nope",
    ],
)
def test_a_pip_that_finds_nothing(source: str) -> None:
    hint, online = PipHint(source, internet=False), PipHint(source, internet=True)
    for piece in FAILED:
        hint.see(piece)
        online.see(piece)
    assert hint.text == HINT
    assert online.text == ""


@pytest.mark.parametrize(("source", "written"), [("pip install a", "Installed a"), ("print(1)", "".join(FAILED))])
def test_nothing_else_is_commented_on(source: str, written: str) -> None:
    hint = PipHint(source, internet=False)
    hint.see(written)
    assert hint.text == ""


def test_no_code_takes_long() -> None:
    began = time.process_time()
    for source in ("pip " * 100_000, "pip" + " " * 400_000, "pip " + "a" * 400_000, "pip a " * 60_000):
        PipHint(source, internet=False)
    assert time.process_time() - began < 5
