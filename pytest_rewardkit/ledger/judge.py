"""Everything that decides a run apart from its tests: gates, the baseline, the tests that must pass. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_rewardkit.ledger.baseline import REGRESSION, compare, decide_regression
from pytest_rewardkit.ledger.gate import RUN, SHARDS, ChosenTests, Decision, GateState
from pytest_rewardkit.ledger.gates import decide, decide_must_pass, faults

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_rewardkit.ledger.baseline import Baseline, BaselineComparison
    from pytest_rewardkit.ledger.gate import Gate
    from pytest_rewardkit.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Judge:
    """The conditions on a run.

    Parameters:
        gates: the conditions on the run and its groups.
        baselines: the earlier runs to compare with.
        fail_on_regression: whether a loss against the baseline fails the run.
        confidence: of the comparison's interval and decision; None to let one worse test decide.
        waiting: what gates wait for in this run, which is part of a larger one; "" if they decide here.
        joins_shards: whether the run is joined from shards, all of which must be present.
    """

    gates: Sequence[Gate] = ()
    baselines: Sequence[Baseline] = ()
    fail_on_regression: bool = False
    confidence: float | None = None
    waiting: str = ""
    joins_shards: bool = False

    @property
    def least_mean(self) -> float | None:
        """The mean that the run needs; None if there is no such condition."""
        return next((gate.fail_under for gate in self.gates if gate.name == RUN), None)

    def compare(self, ledger: Ledger) -> list[BaselineComparison]:
        """Return the comparison of the run with each of its baselines."""
        return [compare(ledger, baseline) for baseline in self.baselines]

    def decide(
        self,
        ledger: Ledger,
        comparisons: Sequence[BaselineComparison] = (),
        *,
        unfinished: str = "",
        narrowed_by: str = "",
        gates_with_tests: Collection[str] = (),
    ) -> list[Decision]:
        """Return the decisions about a run that was not stopped.

        Parameters:
            comparisons: the result of `compare`.
            unfinished: why nothing can be said about the run as a whole; "" if it is complete.
            narrowed_by: what selected a part of all tests; "" if all were to run.
            gates_with_tests: gates that had tests to decide about in the run's earlier decision.
        """
        tests, missing = ledger.tasks, ledger.missing
        decisions = [Decision(SHARDS, GateState.FAILED, unfinished)] if self.joins_shards and unfinished else []
        unfinished = unfinished or faults(tests)
        choice = ChosenTests(narrowed_by, ledger.collected, ledger.groups, gates_with_tests)
        decisions += [decide(gate, tests, missing=missing, unfinished=unfinished, choice=choice) for gate in self.gates]
        if (must_pass := decide_must_pass(tests, unfinished=faults(tests))) is not None:
            decisions.append(must_pass)
        if self.fail_on_regression:
            decisions += [
                decide_regression(
                    comparison, confidence=self.confidence, missing=missing, unfinished=unfinished, name=name
                )
                for comparison, name in zip(comparisons, self._regressions(), strict=True)
            ]
        if self.waiting:
            return [_waits(it, self.waiting) for it in decisions]
        return decisions

    def _regressions(self) -> list[str]:
        """Return the names of the gates that losses against the baselines fail."""
        if len(self.baselines) == 1:
            return [REGRESSION]
        return [f"{REGRESSION} {baseline.name}" for baseline in self.baselines]

    def stopped(self) -> list[Decision]:
        """Return the decisions about a stopped run: nothing is decided, so it does not pass."""
        names = [gate.name for gate in self.gates] + (self._regressions() if self.fail_on_regression else [])
        decisions = [Decision(name, GateState.FAILED, "not decided, because the run was stopped") for name in names]
        return [_waits(it, self.waiting) for it in decisions] if self.waiting else decisions


def _waits(decision: Decision, waiting: str) -> Decision:
    if decision.state is GateState.NOT_ASKED:
        return decision
    return Decision(decision.name, GateState.WAITING, waiting)
