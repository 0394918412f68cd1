"""Every test of a run by its node id, and the figures over all of them. Pure: it knows nothing of pytest."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted
from pytest_rewardkit.ledger.model_use import together
from pytest_rewardkit.ledger.tasks import tasks
from pytest_rewardkit.ledger.test import CRASHED, Test
from pytest_rewardkit.reward import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_rewardkit.ledger.model_use import ModelUse
    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.ledger.test import TestResult

SLOWEST: Final = 3
"""How many of the slowest tests the figures name."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a run.

    Parameters:
        tests: how many tests have a reward or should: scored, unscored and crashed; several attempts at one are one.
        attempts: how many attempts at them there are, each a test for pytest; superseded ones do not count.
        scored: how many of the tests have a number.
        unscored: how many attempts have none, including crashed ones.
        mean: the weighted mean over the scored tests; None if there are none.
        strict_mean: the weighted mean over all of them, with 0 for those without a number; None if there are none.
        verdicts: how many tests have each verdict, including `CRASHED`, in the order of `Verdict`.
        reruns: how many results a rerun's result superseded.
        kept: how many tests did not run now, but were taken over from an earlier run.
        slowest: the slowest tests, with seconds, excluding the wait for sandboxes.
        sandboxes: how many sandboxes were created.
        start_p50, start_p95: seconds in which half, and 95 %, of them had started; None if there were none.
        waited: total seconds in which tests waited for their turn to have a sandbox.
        missing: the tests that were collected and never ran to an end, in the order of collection.
        asked: the use of models; None if no use is known.
    """

    tests: int
    attempts: int
    scored: int
    unscored: int
    mean: float | None
    strict_mean: float | None
    verdicts: dict[str, int]
    reruns: int
    kept: int
    slowest: tuple[tuple[str, float], ...]
    sandboxes: int
    start_p50: float | None
    start_p95: float | None
    missing: tuple[str, ...]
    waited: float = 0.0
    asked: ModelUse | None = None

    @property
    def over(self) -> str:
        """The base of the mean: ``3 scored tests``, ``2 scored tests in 10 attempts``."""
        attempts = "" if self.attempts == self.tests else f" in {self.attempts:,} attempts"
        return counted(self.scored, "scored test") + attempts


class Ledger:
    """Collects the results of each test, in any order and over any number of tries.

    Users' hooks rely on the members of it, of its tests and of its figures that docs/reference/hooks.md names.
    """

    def __init__(self) -> None:
        self._tests: dict[str, Test] = {}
        self._order: dict[str, int] = {}
        # Cached, because several reports ask for it. Each addition clears the cache.
        self._sorted: list[Test] | None = None
        self._tasks: list[Test] | None = None
        self._worst_first: list[Test] | None = None
        self._figures: Figures | None = None

    def expect(self, node_ids: Iterable[str]) -> None:
        """Note the collected tests, in their order."""
        self._sorted = self._tasks = self._worst_first = self._figures = None
        for node_id in node_ids:
            self._order.setdefault(node_id, len(self._order))

    def add(self, node_id: str, result: TestResult) -> Test:
        """Add a result and return its test; the last result counts."""
        self._sorted = self._tasks = self._worst_first = self._figures = None
        test = self._tests.get(node_id)
        if test is None:
            test = self._tests[node_id] = Test(node_id)
        test.results.append(result)
        return test

    def get(self, node_id: str) -> Test | None:
        """Return the test with that node id; None if it has no result."""
        return self._tests.get(node_id)

    @property
    def tests(self) -> list[Test]:
        """The tests that have a reward or should, and those that crashed, in the order of collection."""
        if self._sorted is None:
            self._sorted = [test for test in self.all_tests if test.reward is not None or test.crashed]
        return list(self._sorted)

    @property
    def all_tests(self) -> list[Test]:
        """Every test that has a result, even without a reward, in the order of collection."""
        unexpected = sorted(self._tests.keys() - self._order.keys())
        in_order = (self._tests.get(node_id) for node_id in chain(self._order, unexpected))
        return [test for test in in_order if test is not None]

    @property
    def tasks(self) -> list[Test]:
        """The same tests, with several attempts at one task as one test with their reduced reward."""
        if self._tasks is None:
            self._tasks = tasks(self.tests)
        return list(self._tasks)

    @property
    def collected(self) -> list[str]:
        """The collected tests, in their order."""
        return list(self._order)

    @property
    def groups(self) -> set[str]:
        """The groups of all tests, including skipped ones."""
        return {group for test in self._tests.values() if (group := test.group) is not None}

    @property
    def missing(self) -> tuple[str, ...]:
        """The tests that were collected and have not run to an end so far, in the order of collection."""
        return tuple(node_id for node_id in self._order if node_id not in self._tests)

    @property
    def worst_first(self) -> list[Test]:
        """The tasks, those without a number first, then by reward; ties are in the order of collection."""
        if self._worst_first is None:
            self._worst_first = sorted(self.tasks, key=lambda test: -1.0 if (value := test.value) is None else value)
        return list(self._worst_first)

    def figures(self) -> Figures:
        """Return the figures over the results so far."""
        if self._figures is None:
            self._figures = self._calculated()
        return self._figures

    def _calculated(self) -> Figures:
        tests, tasks = self.tests, self.tasks
        scored = [(value, test.weight) for test in tasks if (value := test.value) is not None]
        counts = Counter(test.verdict for test in tasks)
        order = [*(verdict.value for verdict in Verdict), CRASHED]
        records = list(self._records())
        uses = [use for record in records for use in record.sandboxes]
        starts = sorted(use.start for use in uses)
        slowest = heapq.nlargest(SLOWEST, tests, key=lambda test: test.last.own_time)
        return Figures(
            tests=len(tasks),
            attempts=len(tests),
            scored=len(scored),
            unscored=sum(test.unscored for test in tasks),
            mean=_mean(scored),
            strict_mean=_mean([(test.strict, test.weight) for test in tasks]),
            verdicts={name: counts[name] for name in order if counts[name]},
            reruns=sum(test.reruns for test in tests),
            kept=sum(test.last.kept for test in tests),
            slowest=tuple((test.node_id, test.last.own_time) for test in slowest),
            sandboxes=len(uses),
            start_p50=_percentile(starts, 0.50),
            start_p95=_percentile(starts, 0.95),
            missing=self.missing,
            waited=math.fsum(use.waited for use in uses),
            asked=together(record.asked for record in records if record.asked is not None),
        )

    def _records(self) -> Iterable[Record]:
        # Superseded results, and tests without a reward, used sandboxes and models too.
        for test in self._tests.values():
            for result in test.results:
                if result.record is not None:
                    yield result.record

    def index(self, node_id: str) -> int | None:
        """Return the position of a test in the order of collection, from 0; None if it is not known to be collected."""
        return self._order.get(node_id)


def _mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    """Return sum(weight * value) / sum(weight); None if nothing has a weight."""
    total = math.fsum(weight for _, weight in weighted)
    if not total:
        return None
    return math.fsum(value * weight for value, weight in weighted) / total


def _percentile(ascending: Sequence[float], fraction: float) -> float | None:
    """Return the smallest value that at least `fraction` of the values do not exceed (the nearest rank)."""
    if not ascending:
        return None
    return ascending[math.ceil(fraction * len(ascending)) - 1]
