"""The questions of all tests of this process, and the answers on record. The session's config leads to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_rewardkit.candidates.record import AskedByTest
from pytest_rewardkit.run.transport.node_ids import name_of
from pytest_rewardkit.run.worker.recorder_of import recorder_of

if TYPE_CHECKING:
    from pytest_rewardkit.candidates.answer import ModelAnswer
    from pytest_rewardkit.candidates.record import CandidatesOnRecord
    from pytest_rewardkit.run.worker.recorder import Recorder

PROPERTY: Final = "rewardkit-answer"
"""The user property of a test's reports that carries an answer, as a line of JSON, to the process that keeps it."""


class Questions:
    """The questions of tests, in each run of each test.

    Parameters:
        record: the answers on record.
    """

    def __init__(self, record: CandidatesOnRecord) -> None:
        self.record = record
        self._running: tuple[Recorder, AskedByTest] | None = None

    def of(self, item: pytest.Item) -> AskedByTest:
        """Return the questions of this run of a test; its reports carry the answers to keep."""
        recorder = recorder_of(item)
        if self._running is None or self._running[0] is not recorder:

            def keep(answer: ModelAnswer) -> None:
                recorder.properties.append((PROPERTY, answer.to_line()))

            self._running = recorder, AskedByTest(self.record, name_of(item), recorder.note_asked, keep)
        return self._running[1]


QUESTIONS: Final = pytest.StashKey[Questions]()
