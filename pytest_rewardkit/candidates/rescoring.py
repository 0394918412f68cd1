"""A run that scores an earlier run's answers again: it skips tests that could still ask a model."""

from __future__ import annotations

from typing import Final

import pytest

from pytest_rewardkit.candidates.fixtures import ASKING

_SANDBOXES: Final = ("sandbox", "async_sandbox", "sandbox_factory", "reward")
_HOW: Final = (
    "its candidate cannot be replaced by an earlier one; let the test take it from the fixture `candidate`, or ask by "
    "the fixture `recorded`"
)


class Rescoring:
    """The hooks of a run with ``--rewardkit-rescore``."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            names = set(getattr(item, "fixturenames", ()))
            if not names & {"candidate", "row", *ASKING} and (
                names.intersection(_SANDBOXES) or item.get_closest_marker("reward") is not None
            ):
                item.add_marker(pytest.mark.skip(reason=_HOW))
