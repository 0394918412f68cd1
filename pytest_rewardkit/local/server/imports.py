"""The modules that candidates import, and which of them later sandboxes should have in memory."""

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
"""If only one sandbox in this many imports a module, it is not worth giving all sandboxes a copy."""


class Imports:
    """The modules that are worth it. Names come from candidates, and may be arbitrary.

    Parameters:
        had: the modules that sandboxes have already.
    """

    def __init__(self, had: Iterable[str]) -> None:
        self.had = tuple(had)
        self._refused: set[str] = set()
        self._seen: Counter[str] = Counter()
        self._sandboxes = 0

    def sandbox_made(self) -> None:
        """Count another sandbox."""
        self._sandboxes += 1

    def note(self, names: Iterable[str]) -> None:
        """Count modules that a candidate has imported, as the candidate reports."""
        for name in list(names)[:MAX_MODULES]:
            known = name in self._seen or len(self._seen) < _MAX_SEEN
            if known and len(name) <= MAX_NAME and _NAME.fullmatch(name):
                self._seen[name] += 1

    def wanted(self, *, any_name: bool) -> tuple[str, ...]:
        """The modules that sandboxes should have, beginning with those that they have.

        Parameters:
            any_name: also take modules that nobody has vouched for.
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
        """Note that later sandboxes have these modules."""
        self.had = tuple(names)

    def refuse(self, names: Iterable[str]) -> None:
        """Note that these modules are not possible."""
        self._refused.update(names)
