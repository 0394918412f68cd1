"""Runs a test again and again with other candidates, each time with fresh fixtures, and so with a fresh sandbox.

It does so as pytest-rerunfailures runs a test again, but without a report for each time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.pytest_internals import forget_sections, run_phases
from pytest_rewardkit.run.worker.recorder_of import recorder_of
from pytest_rewardkit.selfcheck.findings import Judgement
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Generator

_JUDGED: Final = pytest.StashKey["Judged"]()
_WHY: Final = 300


class Judged:
    """The candidate that a test must judge now, and its judgement.

    Parameters:
        candidate: the text; None for the test's reference.
    """

    def __init__(self, candidate: str | None) -> None:
        self.candidate = candidate
        self.reference: str | None = None
        """The test's reference, once it has been requested."""
        self.has_none = False
        """Whether it was requested and does not exist."""
        self.row: Any = None
        self.is_given = False
        """Whether the fixture `candidate` gave the candidate to the test."""
        self.judgement: Judgement | None = None

    @property
    def was_read(self) -> bool:
        """Whether the test read the candidate."""
        return self.is_given or (self.row is not None and "candidate" in vars(self.row))

    def text(self, reference: Any) -> str:
        """Return the candidate; `reference` returns the test's reference. Skips a test that has none."""
        if self.candidate is not None:
            return self.candidate
        self.reference = reference()
        if self.reference is None:
            self.has_none = True
            pytest.skip("there is no reference; give the row one, or override the fixture `reference`")
        return self.reference


def judged_in(item: Any) -> Judged | None:
    """Return the candidate that `item` judges now; None outside a trial."""
    stash = getattr(item, "stash", None)
    return None if stash is None else stash.get(_JUDGED, None)


def run(item: pytest.Item, candidate: str | None = None) -> Judged:
    """Run a test with a candidate, or with its reference, and return the result."""
    judged = item.stash[_JUDGED] = Judged(candidate)
    properties = len(item.user_properties)
    began = time.perf_counter()
    try:
        reports = run_phases(item)
    finally:
        del item.stash[_JUDGED]
        # Otherwise they grow with each run.
        del item.user_properties[properties:]
        forget_sections(item)
    judged.judgement = _judgement(judged.judgement, reports, time.perf_counter() - began)
    return judged


def watched_call(item: pytest.Item, judged: Judged) -> Generator[None, object, object]:
    """Wrap the call of a test, and pass its judgement of the candidate only to `judged`."""
    recorder = recorder_of(item)
    passed, raised, unscored, why = True, False, False, ""
    try:
        yield
    except (pytest.skip.Exception, pytest.exit.Exception):
        raise
    except Exception as error:
        passed, why = False, one_line(str(error) or type(error).__name__, _WHY)
        unscored = isinstance(error, UnscoredError)
        raised = not isinstance(error, AssertionError | UnscoredError)
        why = f"{type(error).__name__}: {why}" if raised else why
    except (pytest.fail.Exception, pytest.xfail.Exception) as error:
        passed, why = False, one_line(str(error), _WHY)
    reward = recorder.reward
    value = float(passed) if reward is None else reward.value
    # The result is about graders, and not a candidate's reward.
    recorder.discard()
    judged.judgement = Judgement(None if unscored else value, passed, raised, why)
    return None


def _judgement(called: Judgement | None, reports: list[pytest.TestReport], seconds: float) -> Judgement:
    """Return a test's judgement, given the reports of all phases."""
    for report in reports:
        if report.skipped:
            reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            return Judgement(None, passed=False, why=str(reason).removeprefix("Skipped: "), skipped=True)
    failed = next((report for report in reports if report.failed), None)
    if called is None or failed is not None:
        # A fixture failed before or after the call.
        lines = str(failed.longrepr if failed is not None else "the test did not run").strip().splitlines()
        why = one_line(lines[-1] if lines else "", _WHY)
        value = 0.0 if called is None else called.value
        return Judgement(value, passed=False, raised=True, why=why, seconds=seconds)
    return Judgement(called.value, called.passed, called.raised, called.why, seconds)
