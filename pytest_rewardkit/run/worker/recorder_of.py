"""Finds the recorder of a running test by its item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pytest_rewardkit.run.worker.recorder import Recorder

RECORDER: Final = pytest.StashKey["Recorder"]()


def recorder_of(item: pytest.Item) -> Recorder:
    """Return the recorder of `item`, which runs now."""
    return item.stash[RECORDER]
