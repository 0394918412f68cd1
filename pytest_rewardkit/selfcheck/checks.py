"""The checks of a grader: the candidates that it is tried with, and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.modes import ATTACKS, FLAKES, MUTANTS
from pytest_rewardkit.selfcheck.attacks import attacks, candidate_of, names_in
from pytest_rewardkit.selfcheck.findings import Coverage, Judgement, evenly, kill_rate, resistance, stability
from pytest_rewardkit.selfcheck.mutants import mutants_of, with_stop_line
from pytest_rewardkit.selfcheck.trial import run

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_rewardkit.reward import Reward

RUNS: Final = 10
"""How many times a reference runs, to see whether its grader always gives the same result."""

_NO_CANDIDATE: Final = "the test takes no candidate from `row.candidate`; let it take the fixture `candidate`"
_SECONDS: Final = 1.0
_TIMES: Final = 10
"""A mutant's limit of processor time: so many seconds, plus so many times the seconds that its reference took."""


class NotChecked(Exception):  # noqa: N818 - it names a state
    """A grader cannot be checked; the text is the reason, with a remedy."""


class Broken(Exception):  # noqa: N818 - it names a state
    """A grader rejects its own reference; the text is the reason."""


def check(mode: str, item: pytest.Item, limit: int) -> Reward:
    """Return the reward of a test as a grader.

    Parameters:
        limit: the most candidates that it is tried with.

    Raises NotChecked or Broken.
    """
    return _CHECKS[mode](item, limit)


def _attacks(item: pytest.Item, limit: int) -> Reward:
    # Without a reference, the names to define are not known; the other attacks do not need them.
    reference, code = _reference(item, needed=False)
    names = names_in(code)
    battery = attacks()
    places = evenly(len(battery), limit)
    tried = []
    for attack in (battery[place] for place in places):
        code = candidate_of(attack, names)
        tried.append((attack, code, _judgement(item, code)))
    return resistance(tried, reference, Coverage(len(places), len(battery)))


def _mutants(item: pytest.Item, limit: int) -> Reward:
    reference, code = _reference(item)
    assert reference is not None
    try:
        mutants = mutants_of(code)
    except SyntaxError:
        raise NotChecked("its reference is no Python, and no mutants can be made of it") from None
    if not mutants:
        raise NotChecked("there is nothing in its reference that can be changed")
    seconds = _SECONDS + _TIMES * reference.seconds
    # If the stop line changes the reference's reward, mutants run without it, as long as the test lets them.
    is_stopped = _judgement(item, with_stop_line(code, seconds)).is_like(reference)
    places = evenly(len(mutants), limit)
    tried = []
    for mutant in (mutants[place] for place in places):
        candidate = with_stop_line(mutant.code, seconds) if is_stopped else mutant.code
        tried.append((mutant, _judgement(item, candidate)))
    return kill_rate(tried, reference, Coverage(len(places), len(mutants)))


def _flakes(item: pytest.Item, limit: int) -> Reward:
    first, _ = _reference(item)
    assert first is not None
    more = [_judgement(item, None) for _ in range(min(limit, RUNS) - 1)]
    return stability([first, *more])


_CHECKS: Final[dict[str, Callable[[pytest.Item, int], Reward]]] = {
    ATTACKS: _attacks,
    MUTANTS: _mutants,
    FLAKES: _flakes,
}


def _reference(item: pytest.Item, *, needed: bool = True) -> tuple[Judgement | None, str]:
    """Return a test's judgement of its reference, and the reference's code; None and "" if it has none and need not."""
    first = run(item)
    said = first.judgement
    assert said is not None
    if first.has_none and not needed:
        return None, ""
    if said.skipped:
        raise NotChecked(said.why)
    if said.value is not None and not said.passed:
        raise Broken(said.why)
    if not first.was_read:
        raise NotChecked(_NO_CANDIDATE)
    assert first.reference is not None
    return said, _code(first.reference)


def _judgement(item: pytest.Item, candidate: str | None) -> Judgement:
    found = run(item, candidate).judgement
    assert found is not None
    return found


def _code(reference: str) -> str:
    """Return a reference's code; the reference may be a response."""
    from pytest_rewardkit.scorers.response.extract import extract_code

    return extract_code(reference) or reference
