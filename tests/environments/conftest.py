"""One engine for the tests of this folder that one process runs; two daemons beside each other are no trouble."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from environments.engine import Engine, NoEngineError, started
from environments.machine import empty_root

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(started())
        except NoEngineError as error:
            pytest.skip(f"no container engine can be started here: {error}")
        engine.import_image(empty_root())
        yield engine
