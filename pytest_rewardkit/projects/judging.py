"""Judges the runs of a project's tests with a candidate. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted
from pytest_rewardkit.projects.expected import outcomes_by_name
from pytest_rewardkit.projects.outcomes import ProjectRun, ReportedOutcome
from pytest_rewardkit.reward import Part, Reward, Verdict
from pytest_rewardkit.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

from pytest_rewardkit.projects.expected import Expected

_IDLE: Final = "it passes without the candidate, too"
_WHOLE: Final = "the project's tests"


def judge(
    expected: Expected, run: ProjectRun, reverse: ProjectRun | None, note: str = "", *, status_tells: bool = True
) -> Reward:
    """Return the reward: the weighted share of the expected tests that pass.

    Parameters:
        run: the tests in their order.
        reverse: the run in reverse order; None if there was none.
        note: a remark to add to the reason.
        status_tells: whether to distrust a report that contradicts the exit status.
    """
    if reason := _disbelief(run, status_tells=status_tells):
        return failed(expected, run.verdict or Verdict.RUNTIME_ERROR, reason, run.output)
    found = outcomes_by_name(run)
    counts = Counter(test.name for test in run.outcomes if test.outcome is ReportedOutcome.PASSED)
    told = {test.name: test for test in run.outcomes if test.outcome is ReportedOutcome.FAILED}
    other = outcomes_by_name(reverse) if reverse is not None else None
    weights = dict(expected.weights)
    if expected.open:
        weights |= {name: 1.0 for name in found if name not in weights and name not in expected.skipped}
    parts = []
    for name, weight in weights.items():
        outcome = found.get(name)
        reason = ""
        if outcome is None:
            broken = next((test for test in run.outcomes if test.collecting), None)
            reason = "it was not run" + (f": {broken.name} cannot be collected" if broken else "")
        elif outcome is ReportedOutcome.FAILED:
            reason = told[name].message or "it failed"
        elif outcome is ReportedOutcome.SKIPPED:
            reason = "it was skipped"
        elif counts[name] != (times := expected.times.get(name, 1)):
            reason = f"the report has it {counted(counts[name], 'time')}, and not {times}"
        elif other is not None and other.get(name) is not ReportedOutcome.PASSED:
            reason = "it passes in one order of the tests, and not in the reverse"
        parts.append(_part(name, weight, reason, idle=name in expected.idle))
    if not any(part.weight for part in parts):
        return failed(expected, Verdict.WRONG_OUTPUT, "no test ran", run.output)
    return Reward.from_parts(parts, reason=note)


def failed(expected: Expected, verdict: Verdict, reason: str, output: str = "") -> Reward:
    """Return the reward of a candidate that fails every test for the same reason."""
    weights = {name: weight for name, weight in expected.weights.items() if name not in expected.idle} or {_WHOLE: 1.0}
    shown = printable(reason, keep="\n\t")
    stderr = printable(output, keep="\n\t") or None
    return Reward.from_parts(
        Part(printable(name), 0.0, weight=weight, verdict=verdict, reason=shown, stderr=stderr if place == 0 else None)
        for place, (name, weight) in enumerate(weights.items())
    )


def _part(name: str, weight: float, reason: str, *, idle: bool) -> Part:
    if not reason:
        return Part(printable(name), 1.0, weight=0.0 if idle else weight, reason=_IDLE if idle else "")
    return Part(
        printable(name), 0.0, weight=weight, verdict=Verdict.WRONG_OUTPUT, reason=printable(reason, keep="\n\t")
    )


def _disbelief(run: ProjectRun, *, status_tells: bool) -> str:
    """Why a report as a whole is not credible; "" if it may be."""
    if run.verdict is not None:
        return run.reason
    if not run.outcomes:
        return f"the report of the tests is empty, and they ended with status {run.status}"
    return contradiction(run) if status_tells else ""


def contradiction(run: ProjectRun) -> str:
    """Return how the tests' report and their exit status contradict each other; "" if they agree."""
    fails = any(test.outcome is ReportedOutcome.FAILED for test in run.outcomes)
    if fails == (run.status != 0):
        return ""
    return f"the report has {'failures' if fails else 'no failure'}, and the tests ended with status {run.status}"


def disagrees(run: ProjectRun, reverse: ProjectRun, names: Sequence[str]) -> bool:
    """Whether tests have other outcomes in the reverse order."""
    first, second = outcomes_by_name(run), outcomes_by_name(reverse)
    return any(first.get(name) is not second.get(name) for name in names)
