"""The guest code that runs a row's unit tests; separate from `sending`, because it loads much that few rows need."""

from __future__ import annotations

from typing import Final

from pytest_rewardkit.datasets.testcode.guest import returned, surroundings, unittests
from pytest_rewardkit.scorers.guest import loading

UNIT_TESTS: Final = (loading, surroundings, returned, unittests)
