"""How a project's tests ended, as its report says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.reward import Verdict


class ReportedOutcome(StrEnum):
    """How one test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What a report says of one test.

    Parameters:
        name: its id; of pytest's tests the node id.
        message: why it did not pass.
        seconds: how long it took; None where that is not said.
        collecting: whether it is no test, but a file that could not be collected.
    """

    __test__ = False  # not one of pytest's

    name: str
    outcome: ReportedOutcome
    message: str = ""
    seconds: float | None = None
    collecting: bool = False


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """What came of a project's tests.

    Parameters:
        outcomes: of each test, as the report has them.
        status: the exit status of the command; None where it was ended.
        verdict, reason: why there is no report, or it cannot be believed.
        output: the last lines of what the command put out.
    """

    outcomes: Sequence[TestOutcome] = ()
    status: int | None = None
    verdict: Verdict | None = None
    reason: str = ""
    output: str = ""


class UnreadableReport(Exception):  # noqa: N818 - it names what happened
    """A report is not what its format asks for; the text says what is wrong."""
