"""Finds the same tests in two runs, though each run may name them differently. Pure.

The model may be part of a test's name, if it is a parameter, a function or a file. What such tests have in common is
the row of a dataset, or another parameter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.statistics import weighted_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_rewardkit.ledger.test import Test

ROW: Final = "row"
"""The label kind that pairs tests about the same row of a dataset."""


@dataclass(frozen=True, slots=True)
class Earned:
    """The result of a test in a run, or of several tests that a pairing does not tell apart.

    Parameters:
        node_id: the test's; of several tests, the first one's.
        value: its number; None if it has none.
        unscored: how many attempts at it have no number.
        lowest, highest: of its rewards over all tries; None if there are none.
        weight: how much it counts.
        label: what it is paired by: the id of its row, or the value of a parameter; None for its node id.
    """

    node_id: str
    value: float | None
    unscored: int
    lowest: float | None
    highest: float | None
    weight: float = 1.0
    label: str | None = None

    @classmethod
    def of(cls, test: Test, by: str | None = None) -> Earned:
        """Return the result of `test`, to be paired by its row or by the parameter named `by`."""
        earned = test.earned
        lowest, highest = min(earned, default=None), max(earned, default=None)
        return cls(test.node_id, test.value, test.unscored, lowest, highest, test.weight, label_of(test, by))


def label_of(test: Test, by: str | None) -> str | None:
    """Return the label by which `test` is paired; None for its node id."""
    record = test.known
    if by is None or record is None:
        return None
    return record.row if by == ROW else record.params.get(by)


def paired(
    before: Iterable[Earned], now: Iterable[Earned]
) -> tuple[Mapping[tuple[str, str], Earned], Mapping[tuple[str, str], Earned]]:
    """Return the tests of two runs by keys that are equal for the same test.

    Files and functions tell tests with equal labels apart, as far as both runs agree on these. Tests that are not told
    apart, such as those of several seeds, count as one test with the mean of their rewards.
    """
    before, now = list(before), list(now)
    scope = max(_SCOPES, key=lambda scope: _shared(before, now, scope))
    return _merged(before, scope), _merged(now, scope)


# From the narrowest to the widest; if several match equally many tests of both runs, the narrowest is used.
_SCOPES: Final[tuple[Callable[[str], str], ...]] = (
    lambda node_id: node_id.partition("[")[0],
    lambda node_id: node_id.partition("[")[0].rpartition("::")[2],
    lambda _: "",
)


def _key(test: Earned, scope: Callable[[str], str]) -> tuple[str, str]:
    return (test.node_id, "") if test.label is None else (scope(test.node_id), test.label)


def _shared(before: Iterable[Earned], now: Iterable[Earned], scope: Callable[[str], str]) -> int:
    then, since = (Counter(_key(test, scope) for test in run) for run in (before, now))
    return sum(then[key] + since[key] for key in then.keys() & since.keys())


def _merged(tests: Iterable[Earned], scope: Callable[[str], str]) -> dict[tuple[str, str], Earned]:
    together: dict[tuple[str, str], list[Earned]] = {}
    for test in tests:
        together.setdefault(_key(test, scope), []).append(test)
    return {key: same[0] if len(same) == 1 else _mean(same) for key, same in together.items()}


def _mean(tests: list[Earned]) -> Earned:
    value = weighted_mean([(test.value, test.weight) for test in tests if test.value is not None])
    first = tests[0]
    unscored, weight = sum(test.unscored for test in tests), sum(test.weight for test in tests)
    return Earned(first.node_id, value, unscored, value, value, weight, first.label)
