"""Which of a project's tests a candidate must pass, and which of them say something about it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_rewardkit.errors import RewardkitUsageError, UnscoredError, did_you_mean
from pytest_rewardkit.projects.outcomes import ProjectRun, ReportedOutcome
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class ProjectBaseline:
    """The outcomes of a project's tests without a candidate.

    Parameters:
        alone: the run without any candidate.
        reference: the run with the reference, if there is one.
        order_matters: whether tests had other outcomes in the reverse order, in the best run available.
        status_tells: whether the exit status agreed with the report. It does not if a runner always ends with 0, or if
            something other than tests can fail, such as a coverage threshold.
    """

    alone: ProjectRun
    reference: ProjectRun | None = None
    order_matters: bool = False
    status_tells: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """The expectations of a candidate.

    Parameters:
        weights: how much each test counts, by name.
        idle: tests that pass without a candidate: passing them earns nothing, failing them counts.
        skipped: tests that are skipped without a candidate, and are not required.
        times: how often the report has a test, if not once: some runners give several tests the same name.
        open: whether unknown tests count too, because files could not be collected without a candidate.
    """

    weights: Mapping[str, float]
    idle: frozenset[str] = frozenset()
    skipped: frozenset[str] = field(default=frozenset())
    times: Mapping[str, int] = field(default_factory=dict)
    open: bool = False


def outcomes_by_name(run: ProjectRun) -> dict[str, ReportedOutcome]:
    """Return each test's outcome: failed if any entry says so, as for a test that passed and failed in its teardown."""
    found: dict[str, ReportedOutcome] = {}
    for test in run.outcomes:
        if not test.collecting and found.get(test.name) is not ReportedOutcome.FAILED:
            found[test.name] = test.outcome
    return found


def expected_of(
    baseline: ProjectBaseline,
    *,
    fail_to_pass: Collection[str] | None = None,
    pass_to_pass: Collection[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Expected:
    """Return the expectations of a candidate.

    Parameters:
        fail_to_pass: tests that fail without a candidate and must pass with it (SWE-bench's meaning).
        pass_to_pass: tests that pass without a candidate, and must still pass with it.
        weights: of tests, by name; 1 for all others.

    Raises UnscoredError if the tests cannot say anything about a candidate; RewardkitUsageError for invalid lists and
    weights.
    """
    alone = outcomes_by_name(baseline.alone)
    passing = {name for name, outcome in alone.items() if outcome is ReportedOutcome.PASSED}
    skipped = frozenset(name for name, outcome in alone.items() if outcome is ReportedOutcome.SKIPPED)
    is_open = False
    if fail_to_pass is not None or pass_to_pass is not None:
        must, keep = _listed(fail_to_pass, "fail_to_pass"), _listed(pass_to_pass, "pass_to_pass")
        names, idle = [*must, *keep], frozenset(keep) - frozenset(must) if must else frozenset()
        skipped = frozenset()
    elif baseline.reference is not None:
        right = outcomes_by_name(baseline.reference)
        names = [name for name, outcome in right.items() if outcome is ReportedOutcome.PASSED]
        if not names:
            raise UnscoredError(f"the reference passes none of the project's tests: {_why(baseline.reference)}")
        idle = frozenset(names) & passing
        skipped = frozenset(name for name, outcome in right.items() if outcome is ReportedOutcome.SKIPPED)
    else:
        names = [name for name in alone if name not in skipped]
        idle = frozenset(passing)
        is_open = any(test.collecting for test in baseline.alone.outcomes)
    if not names and not is_open:
        raise UnscoredError("no test of the project depends on the candidate")
    if not is_open and idle >= set(names):
        raise UnscoredError("no test of the project depends on the candidate: all pass without one")
    best = baseline.alone if baseline.reference is None else baseline.reference
    return Expected(_weighted(names, weights), idle, skipped, _times(best), is_open)


def _times(run: ProjectRun) -> dict[str, int]:
    counts = Counter(test.name for test in run.outcomes if not test.collecting)
    return {name: count for name, count in counts.items() if count > 1}


def _listed(names: Collection[str] | None, what: str) -> list[str]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names or ()):
        raise RewardkitUsageError(f"{what} must be a list of tests' names, not {names!r}")
    listed = list(names or ())
    if double := [name for name, count in Counter(listed).items() if count > 1]:
        raise RewardkitUsageError(f"{what} names {double[0]!r} twice")
    return listed


def _weighted(names: Collection[str], weights: Mapping[str, float] | None) -> dict[str, float]:
    for name, weight in (weights or {}).items():
        if name not in names:
            raise RewardkitUsageError(f"weights: there is no test {name!r}{did_you_mean(name, list(names))}")
        if not isinstance(weight, int | float) or weight < 0:
            raise RewardkitUsageError(f"weights: {name!r} must be a number, 0 or more, not {weight!r}")
    return {name: float((weights or {}).get(name, 1.0)) for name in names}


def _why(run: ProjectRun) -> str:
    failed = next((test for test in run.outcomes if test.outcome is ReportedOutcome.FAILED), None)
    return run.reason or (one_line(f"{failed.name}: {failed.message}", 300) if failed else "no test ran")
