"""Writes models' answers of this run to the file of candidates as they come, in the process where results end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_rewardkit.candidates.answer import ModelAnswer
from pytest_rewardkit.candidates.file import read_answers, write_answers
from pytest_rewardkit.candidates.questions import PROPERTY
from pytest_rewardkit.candidates.record import RECORD
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import TextIO

    from pytest_rewardkit.candidates.answer import Key


class CandidatesFile:
    """Keeps the models' answers that tests report, together with the file's answers for other tests.

    Parameters:
        config: the session's config.
        path: the file; it is replaced atomically, and only if there is something new.
        mode: as for `CandidatesOnRecord`; with `RECORD`, a test's new answers replace all its earlier ones.

    Raises RewardkitUsageError if `path` holds something else.
    """

    def __init__(self, config: pytest.Config, path: Path, mode: str) -> None:
        self._config = config
        self._path = path
        self._renews = mode == RECORD
        self._answers: dict[Key, ModelAnswer] = read_answers(path)
        self._renewed: set[str] = set()
        self._file: TextIO | None = None
        self._new = 0
        self._failure = ""
        config.add_cleanup(self._close)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        lines = [str(value) for name, value in report.user_properties if name == PROPERTY]
        if lines:
            report.user_properties[:] = [entry for entry in report.user_properties if entry[0] != PROPERTY]
        for line in lines:
            self._add(ModelAnswer.from_fields(json.loads(line)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        self._settle()
        if self._failure:
            session.testsfailed += 1
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failure:
            terminalreporter.write_line(f"candidates are not kept: {self._failure}", red=True)
        elif self._new and self._config.get_verbosity() >= 0:
            terminalreporter.write_line(f"candidates: {self._path} ({self._new:,} new)")

    def _add(self, answer: ModelAnswer) -> None:
        if self._renews and answer.test not in self._renewed:
            self._renewed.add(answer.test)
            self._answers = {key: kept for key, kept in self._answers.items() if kept.test != answer.test}
        self._answers[answer.key] = answer
        self._new += 1
        if self._failure:
            return
        try:
            if self._file is None:
                self._file = write_answers(self._path, self._answers.values())
            else:
                self._file.write(answer.to_line())
                self._file.flush()
        except OSError as error:
            # The tests go on, and the run fails at its end.
            self._failure = one_line(str(error), 300)

    def _settle(self) -> None:
        """Sort the file, so that two runs with the same answers leave the same file."""
        if self._file is None or self._failure:
            return
        self._close()
        try:
            write_answers(self._path, (self._answers[key] for key in sorted(self._answers))).close()
        except OSError as error:
            self._failure = one_line(str(error), 300)

    def _close(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self._failure = self._failure or one_line(str(error), 300)
            self._file = None
