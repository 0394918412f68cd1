"""The internals of Python that we use exist: if a release removes one, this test names both."""

from __future__ import annotations

import asyncio
import sys
from operator import attrgetter

import pytest


@pytest.mark.parametrize("name", ["_get_running_loop", "_set_running_loop", "tasks._enter_task", "tasks._leave_task"])
def test_asyncio_lets_a_loop_be_left_and_entered(name: str) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        assert callable(attrgetter(name)(asyncio)), f"asyncio.{name} of Python {version} is no function"
    except AttributeError:
        pytest.fail(f"Python {version} has no asyncio.{name}, which scorers/guest/loading.py calls")
