"""A test's reward as properties by name, for JUnit files and whatever else reports pytest's user properties.

The names are those that vitest-evals introduced (github.com/getsentry/vitest-evals, pull request 22) and that Codecov's
parser of test results reads: ``evals.scores.NAME.value``, ``.type`` and ``.metadata.FIELD``, one level for each dot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.reward import Part, Reward
    from pytest_rewardkit.run.record import Record

WHOLE: Final = "reward"
"""The name under which a test's whole reward stands, among the scores and as a property of its own."""

PARTS: Final = 20
"""Parts of one reward that get properties; the record of the run has all of them."""

_NAME_LIMIT: Final = 100
_TEXT_LIMIT: Final = 200

# A dot would begin a new level, and what XML cannot hold would break the file for all tests.
_NOT_IN_NAMES: Final = re.compile(r"[^\w\- \[\](),:/@+=]+")

Property = tuple[str, str | float]


class _Names(NamedTuple):
    """The names of the properties of one score."""

    value: str
    type: str
    verdict: str
    reason: str
    threshold: str
    group: str
    row: str
    weight: str

    @classmethod
    def of(cls, name: str) -> _Names:
        prefix = f"evals.scores.{name}"
        facts = [field if field in ("value", "type") else f"metadata.{field}" for field in cls._fields]
        return cls(*(f"{prefix}.{fact}" for fact in facts))


# Tests by the thousand have the same.
_OF_WHOLE: Final = _Names.of(WHOLE)


def properties_of(record: Record) -> list[Property]:
    """Return the properties of what one attempt left behind: its reward as a number, as a score, then its parts."""
    reward = record.reward
    if reward is None:
        return []
    found: list[Property] = [] if reward.value is None else [(WHOLE, reward.value)]
    _add_score(found, _OF_WHOLE, reward)
    if record.threshold is not None:
        found.append((_OF_WHOLE.threshold, record.threshold))
    if record.group is not None:
        found.append((_OF_WHOLE.group, record.group))
    if record.row is not None:
        found.append((_OF_WHOLE.row, record.row))
    if record.weight != 1:
        found.append((_OF_WHOLE.weight, record.weight))
    names = {WHOLE}
    for part in reward.parts[:PARTS]:
        name = _unique(_NOT_IN_NAMES.sub("_", part.name)[:_NAME_LIMIT] or "part", names)
        of_part = _Names.of(name)
        _add_score(found, of_part, part)
        if part.weight != 1:
            found.append((of_part.weight, part.weight))
    return found


def _add_score(found: list[Property], names: _Names, judged: Reward | Part) -> None:
    # What is unscored has no number, and none is made up for it.
    if judged.value is not None:
        found.append((names.value, judged.value))
        found.append((names.type, "float"))
    found.append((names.verdict, judged.verdict.value))
    if judged.reason:
        found.append((names.reason, one_line(judged.reason, _TEXT_LIMIT)))


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} {number}"
    taken.add(unique)
    return unique
