"""Puts rewards into the results of allure-pytest, which is imported only if it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit.formatting import shown
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.reports.parts import part_lines
from pytest_rewardkit.run.transport import user_property
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Generator

PARTS: Final = 100
_REASON_LIMIT: Final = 400


class AllureResults:
    """Puts each test's reward on its result: the number as a parameter, the parts as an attachment."""

    # allure-pytest uses a test's last report. At this point the record is with the item, and the result is still open.
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        for wire in user_property.left_on(item) if call.when == "teardown" else ():
            _leave(Record.from_wire(str(wire)))
        return (yield)


def _leave(record: Record) -> None:
    import allure

    reward = record.reward
    if reward is None:
        return
    # Excluded, because otherwise each reward begins its own history.
    allure.dynamic.parameter("reward", shown(reward.value), excluded=True)
    allure.dynamic.parameter("verdict", str(reward.verdict), excluded=True)
    lines = part_lines(reward.parts, limit=PARTS)
    if text := "\n".join([one_line(reward.reason, _REASON_LIMIT), *lines]).strip():
        allure.attach(text, "reward", allure.attachment_type.TEXT)
