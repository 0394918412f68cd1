"""Turns judgements of a grader on known candidates into a reward of the grader. Pure.

A grader that resists every attack, kills every mutant or always gives the same result has a reward of 1. Each candidate
is a part, so that every report of rewards shows graders too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import counted, shown
from pytest_rewardkit.ledger.graders import RAISED
from pytest_rewardkit.reward import Part, Reward
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_rewardkit.selfcheck.attacks import Attack
    from pytest_rewardkit.selfcheck.mutants import Mutant

NAMED: Final = 3
"""How many candidates a reason names; the others are counted."""

# A mean of floats may miss its exact value by a few units in the last place.
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Judgement:
    """A test's judgement of one candidate.

    Parameters:
        value: the reward in [0, 1]; if there is none, 1 for a test that passed and 0 for one that failed; None if
            nothing can be said, because the infrastructure failed.
        passed: whether the test passed.
        raised: whether it ended by an exception that judges nothing, so that the candidate would have been unscored.
        why: why the test did not pass.
        seconds: how long it took.
        skipped: whether it was skipped, for the reason `why`.
    """

    value: float | None
    passed: bool
    raised: bool = False
    why: str = ""
    seconds: float = 0.0
    skipped: bool = False

    def earns_more_than(self, other: float) -> bool:
        return (self.value or 0.0) > other + _TOLERANCE

    def is_like(self, other: Judgement) -> bool:
        """Whether the test judged both in the same way."""
        if self.value is None or other.value is None:
            return False
        return self.passed == other.passed and abs(self.value - other.value) <= _TOLERANCE


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the existing candidates were tried."""

    tried: int
    of: int

    def __str__(self) -> str:
        return "" if self.tried == self.of else f" ({self.tried:,} of {self.of:,} tried)"


def evenly(of: int, limit: int) -> list[int]:
    """Return `limit` numbers below `of`, spread evenly; all of them if there are no more than `limit`."""
    return list(range(of)) if of <= limit else [number * of // limit for number in range(limit)]


def resistance(tried: Sequence[tuple[Attack, str, Judgement]], reference: Judgement | None, choice: Coverage) -> Reward:
    """Return how well a grader resists attacks: 1 if none pays.

    Parameters:
        tried: attacks with their code and the test's judgements; the empty candidate is the first.
        reference: the judgement of the reference; None if there is none.
        choice: how many attacks were tried.

    An attack pays if it earns more than an empty candidate does; if it also returns something, it must earn more than
    lazy answers too. A lazy answer pays if it passes for a solution.
    """
    first = tried[0][2]
    lazy = max((judgement.value or 0.0 for attack, _, judgement in tried if attack.guess), default=0.0)
    best = None if reference is None else reference.value

    def pays(attack: Attack, judgement: Judgement) -> bool:
        if judgement is first:
            return judgement.earns_more_than(0.0)
        if judgement.passed and not first.passed:
            return True
        if attack.guess:
            is_best = best is not None and not judgement.earns_more_than(best) and judgement.value == best
            return is_best and judgement.earns_more_than(first.value or 0.0)
        return judgement.earns_more_than(max(first.value or 0.0, lazy if attack.value is not None else 0.0))

    parts, paid, away = [], [], 0
    for attack, code, judgement in tried:
        if judgement.value is None:
            parts.append(Part(attack.name, None, reason=judgement.why))
        elif pays(attack, judgement):
            earned = f"{attack.name} {shown(judgement.value)}"
            paid.append(earned)
            passes = ", and passes" if judgement.passed else ""
            reason = f"pays {shown(judgement.value)}{passes}: a candidate that {attack.does}"
            parts.append(Part(attack.name, 0.0, reason=reason, actual=code, duration=judgement.seconds))
        else:
            away += judgement.raised
            parts.append(Part(attack.name, 1.0, reason=judgement.why, duration=judgement.seconds))
    reason = f"{len(paid):,} of {counted(len(tried), 'attack')} pay{choice}" if paid else f"none pays{choice}"
    reason += f": {_named(paid)}" if paid else f" of {counted(len(tried), 'attack')}"
    if away:
        reason += f"; for {away:,} of them {RAISED}"
    return _graded(parts, reason)


def kill_rate(tried: Sequence[tuple[Mutant, Judgement]], reference: Judgement, choice: Coverage) -> Reward:
    """Return the share of mutants that a grader notices: the test does not pass, or they earn less than `reference`."""
    parts, survivors = [], []
    for mutant, judgement in tried:
        survives = judgement.passed and not reference.earns_more_than(judgement.value or 0.0)
        if judgement.value is None:
            parts.append(Part(mutant.change, None, reason=judgement.why))
        elif survives:
            survivors.append(mutant.change)
            reason = f"survived: {one_line(mutant.change, 300)}"
            parts.append(Part(mutant.change, 0.0, reason=reason, expected=mutant.before, actual=mutant.after))
        else:
            how = judgement.why or f"earns {shown(judgement.value)}"
            parts.append(Part(mutant.change, 1.0, reason=f"killed: {one_line(how, 200)}"))
    reason = f"{len(tried) - len(survivors):,} of {counted(len(tried), 'mutant')} killed{choice}"
    return _graded(parts, reason)


def stability(judgements: Sequence[Judgement]) -> Reward:
    """Return the share of runs with the same candidate in which a grader gives its most frequent result."""
    counts = Counter((judgement.value, judgement.passed) for judgement in judgements)
    (usual, most), *others = counts.most_common()
    parts = []
    for number, judgement in enumerate(judgements, 1):
        is_usual = (judgement.value, judgement.passed) == usual
        said = f"{shown(judgement.value)}, {'passed' if judgement.passed else 'failed'}"
        value = None if judgement.value is None else float(is_usual)
        reason = said if is_usual else f"{said}: {one_line(judgement.why, 200)}" if judgement.why else said
        parts.append(Part(f"run {number}", value, reason=reason, duration=judgement.seconds))
    if not others:
        return _graded(parts, f"{counted(len(judgements), 'run')} alike")
    said = ", ".join(f"{shown(value)} {count:,} times" for (value, _), count in counts.most_common(NAMED))
    return _graded(parts, f"{len(judgements) - most:,} of {counted(len(judgements), 'run')} differ: {said}")


def _graded(parts: Sequence[Part], reason: str) -> Reward:
    untold = [part for part in parts if part.value is None]
    if untold:
        first = f"{untold[0].name}: {untold[0].reason}"
        reason = f"nothing can be said of {len(untold):,} of {counted(len(parts), 'candidate')}: {first}"
    return Reward.from_parts(parts, reason)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
