"""What candidates import, and what of it the sandboxes to come are to have in memory."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.settings import PRELOADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_MODULES: Final = 16
MAX_NAME: Final = 100
_MAX_SEEN: Final = 256
_NAME: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_RARE: Final = 50
"""One sandbox out of so many that imports a module is not worth that all are copies of what has it."""


class Imports:
    """The modules that are worth it. Names come from candidates, and may be anything.

    Parameters:
        had: what sandboxes have already.
    """

    def __init__(self, had: Iterable[str]) -> None:
        self.had = tuple(had)
        self._refused: set[str] = set()
        self._seen: Counter[str] = Counter()
        self._sandboxes = 0

    def sandbox_made(self) -> None:
        """Another sandbox is there that may import what others do."""
        self._sandboxes += 1

    def note(self, names: Iterable[str]) -> None:
        """A candidate has imported these, as it says."""
        for name in list(names)[:MAX_MODULES]:
            known = name in self._seen or len(self._seen) < _MAX_SEEN
            if known and len(name) <= MAX_NAME and _NAME.fullmatch(name):
                self._seen[name] += 1

    def wanted(self, *, any_name: bool) -> tuple[str, ...]:
        """The modules that sandboxes are to have, those that they have first.

        Parameters:
            any_name: take those that nobody has vouched for, too.
        """
        new = [
            name
            for name, times in self._seen.items()
            if times * _RARE >= self._sandboxes
            and name not in self._refused
            and name not in self.had
            and (any_name or name in PRELOADABLE)
        ]
        return (*self.had, *new[: max(MAX_MODULES - len(self.had), 0)])

    def have(self, names: Iterable[str]) -> None:
        """The sandboxes to come have these."""
        self.had = tuple(names)

    def refuse(self, names: Iterable[str]) -> None:
        """These cannot be had."""
        self._refused.update(names)
