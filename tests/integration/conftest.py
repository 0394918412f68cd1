"""What the tests of whole sessions share."""

import pytest


@pytest.fixture
def one_worker(plugin_args: tuple[str, ...]) -> tuple[str, ...]:
    """Arguments by which all tests of a file run in one process, one after another."""
    return ("--dist=loadfile",) if "-n2" in plugin_args else ()
