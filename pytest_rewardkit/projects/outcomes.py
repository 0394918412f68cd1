"""The outcomes of a project's tests, as reported. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.reward import Verdict


class ReportedOutcome(StrEnum):
    """The outcome of one test."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """A report's entry about one test.

    Parameters:
        name: its id; for pytest's tests the node id.
        message: why it did not pass.
        seconds: how long it took; None if unknown.
        collecting: whether it is not a test, but a file that could not be collected.
    """

    __test__ = False  # pytest must not collect it

    name: str
    outcome: ReportedOutcome
    message: str = ""
    seconds: float | None = None
    collecting: bool = False


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """The outcome of a run of a project's tests.

    Parameters:
        outcomes: of each test, as reported.
        status: the exit status of the command; None if it was stopped.
        verdict, reason: why there is no report, or why it is not credible.
        output: the last lines of the command's output.
    """

    outcomes: Sequence[TestOutcome] = ()
    status: int | None = None
    verdict: Verdict | None = None
    reason: str = ""
    output: str = ""


class UnreadableReport(Exception):  # noqa: N818 - it names what happened
    """A report does not follow its format; the message says what is wrong."""
