"""A test's reward as named properties, for JUnit files and any other report of pytest's user properties.

The names come from vitest-evals (github.com/getsentry/vitest-evals, pull request 22), and Codecov's parser of test
results reads them: ``evals.scores.NAME.value``, ``.type`` and ``.metadata.FIELD``, with one level per dot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from pytest_rewardkit.ledger.record import Record
    from pytest_rewardkit.reward import Part, Reward

WHOLE: Final = "reward"
"""The name of a test's whole reward, among the scores and as a separate property."""

PARTS: Final = 20
"""Parts of one reward that get properties; the run's record has all of them."""

_NAME_LIMIT: Final = 100
_TEXT_LIMIT: Final = 200

# A dot would begin a new level, and a character that XML forbids would break the file for all tests.
_NOT_IN_NAMES: Final = re.compile(r"[^\w\- \[\](),:/@+=]+")

Property = tuple[str, str | float]


def properties_of(record: Record) -> list[Property]:
    """Return the properties of a test's record: its reward as a number, as a score, then its parts."""
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
    prefix = "evals.scores." + name
    # An unscored reward has no number, and none is made up for it.
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
