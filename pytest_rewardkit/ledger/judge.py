"""All that decides a run beside its tests: gates, the baseline, the tests that must pass. Pure."""

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
    """What was asked of a run.

    Parameters:
        gates: what the run and its groups must amount to.
        baselines: the earlier runs to compare with.
        fail_on_regression: whether a loss against the baseline fails the run.
        confidence: of the comparison's interval and decision; None to let one test that is worse decide.
        waiting: for what gates wait in this run, which is a part of another one; "" where they decide.
        joins_shards: whether the run is joined of others, all of which have to be there.
    """

    gates: Sequence[Gate] = ()
    baselines: Sequence[Baseline] = ()
    fail_on_regression: bool = False
    confidence: float | None = None
    waiting: str = ""
    joins_shards: bool = False

    @property
    def least_mean(self) -> float | None:
        """The mean that the run needs; None where none is asked for."""
        return next((gate.fail_under for gate in self.gates if gate.name == RUN), None)

    def compare(self, ledger: Ledger) -> list[BaselineComparison]:
        """Return the run beside each of its baselines."""
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
        """Return what is decided about a run that came to its end.

        Parameters:
            comparisons: what `compare` returned.
            unfinished: why nothing can be said about the run as a whole; "" when all of it is there.
            narrowed_by: by what a choice of all tests was made; "" when all were to run.
            gates_with_tests: gates that had tests to decide about when the run was decided before.
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
        """Return what is decided about a run that was stopped: nothing, and so it does not pass."""
        names = [gate.name for gate in self.gates] + (self._regressions() if self.fail_on_regression else [])
        decisions = [Decision(name, GateState.FAILED, "not decided, because the run was stopped") for name in names]
        return [_waits(it, self.waiting) for it in decisions] if self.waiting else decisions


def _waits(decision: Decision, waiting: str) -> Decision:
    if decision.state is GateState.NOT_ASKED:
        return decision
    return Decision(decision.name, GateState.WAITING, waiting)
