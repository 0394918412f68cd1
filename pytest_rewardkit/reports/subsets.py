"""The means of a run's groups and of its files, on a terminal. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.formatting import shown
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_rewardkit.ledger.test import Test

MOST: Final = 8
"""Groups or files shown unless ``-v`` asks for all: the lowest ones."""
_NAME_LIMIT: Final = 100


def subsets(tests: Iterable[Test]) -> dict[str, Mapping[str, Sequence[Test]]]:
    """Return the tests by group and by file, in each case only if there is more than one.

    Returns:
        Under "groups" and "files", tests by the name of their group or file; "groups" omits tests without a group.
    """
    tests = list(tests)
    by = {
        "groups": _by(tests, lambda test: test.group),
        "files": _by(tests, lambda test: test.node_id.partition("::")[0]),
    }
    return {title: named for title, named in by.items() if len(named) > 1}


def _by(tests: Iterable[Test], name: Callable[[Test], str | None]) -> dict[str, list[Test]]:
    found: dict[str, list[Test]] = {}
    for test in tests:
        if (key := name(test)) is not None:
            found.setdefault(key, []).append(test)
    return found


def means(named: Mapping[str, Sequence[Test]], *, everything: bool) -> list[str]:
    """Return the mean of each, with unscored tests as 0, lowest first, as ``0.53 sorting (3)``.

    Parameters:
        named: tests by the name of their group or file.
        everything: whether to return all, and not only the lowest `MOST`.
    """
    rows = sorted((_strict_mean(tests), name, len(tests)) for name, tests in named.items())
    chosen = rows if everything else rows[:MOST]
    texts = [f"{shown(mean)} {one_line(name, _NAME_LIMIT)} ({count:,})" for mean, name, count in chosen]
    return texts if len(chosen) == len(rows) else [*texts, f"{len(rows) - len(chosen):,} more (-v shows all)"]


def _strict_mean(tests: Sequence[Test]) -> float:
    weights = math.fsum(test.weight for test in tests)
    return math.fsum(test.strict * test.weight for test in tests) / weights if weights else 0.0
