"""One engine per process for the tests of this folder; two daemons can run side by side."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from environments.engine import Engine, NoEngineError, started
from environments.machine import empty_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(started())
        except NoEngineError as error:
            pytest.skip(f"no container engine can be started here: {error}")
        engine.import_image(empty_root())
        yield engine


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder that appears as /place elsewhere, and that any user there may write to."""
    folder = tmp_path / "work"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n", "utf-8")
    return folder
