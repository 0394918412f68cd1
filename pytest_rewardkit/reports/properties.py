"""A test's reward as properties by name, for JUnit files and whatever else reports pytest's user properties.

The names are those that vitest-evals introduced (github.com/getsentry/vitest-evals, pull request 22) and that Codecov's
parser of test results reads: ``evals.scores.NAME.value``, ``.type`` and ``.metadata.FIELD``, one level for each dot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.reward import Part, Reward

WHOLE: Final = "reward"
"""The name under which a test's whole reward stands, among the scores and as a property of its own."""

PARTS: Final = 20
"""Parts of one reward that get properties; the record of the run has all of them."""

_NAME_LIMIT: Final = 100
_TEXT_LIMIT: Final = 200

# A dot would begin a new level, and what XML cannot hold would break the file for all tests.
_NOT_IN_NAMES: Final = re.compile(r"[^\w\- \[\](),:/@+=]+")

Property = tuple[str, str | float]


def properties_of(record: Record) -> list[Property]:
    """Return the properties of what a test left behind: its reward as a number, as a score, then its parts."""
    reward = record.reward
    if reward is None:
        return []
    found: list[Property] = [] if reward.value is None else [(WHOLE, reward.value)]
    _add_score(found, WHOLE, reward)
    for fact in ("threshold", "group", "row"):
        if (said := getattr(record, fact)) is not None:
            found.append((f"evals.scores.{WHOLE}.metadata.{fact}", said))
    if record.weight != 1:
        found.append((f"evals.scores.{WHOLE}.metadata.weight", record.weight))
    names = {WHOLE}
    for part in reward.parts[:PARTS]:
        name = _unique(_NOT_IN_NAMES.sub("_", part.name)[:_NAME_LIMIT] or "part", names)
        _add_score(found, name, part)
        if part.weight != 1:
            found.append((f"evals.scores.{name}.metadata.weight", part.weight))
    return found


def _add_score(found: list[Property], name: str, judged: Reward | Part) -> None:
    prefix = f"evals.scores.{name}"
    # What is unscored has no number, and none is made up for it.
    if judged.value is not None:
        found += [(f"{prefix}.value", judged.value), (f"{prefix}.type", "float")]
    found.append((f"{prefix}.metadata.verdict", judged.verdict.value))
    if judged.reason:
        found.append((f"{prefix}.metadata.reason", one_line(judged.reason, _TEXT_LIMIT)))


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} {number}"
    taken.add(unique)
    return unique
