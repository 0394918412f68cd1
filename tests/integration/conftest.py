"""Shared by the tests of whole sessions."""

import pytest


@pytest.fixture
def one_worker(plugin_args: tuple[str, ...]) -> tuple[str, ...]:
    """Arguments that run all tests of a file in one process, one after another."""
    return ("--dist=loadfile",) if "-n2" in plugin_args else ()
