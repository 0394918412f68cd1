"""How many processes the kernel has ended for lack of memory, as it counts them in its files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_COUNTS_BYTES: Final = 4096


class KillCount:
    """How many processes of a group the kernel has ended for lack of memory, and because of which group.

    The kernel ends them if the group is at its own limit. It also does so if a group around it is at its limit or the
    machine has no memory left; then the group's processes may be as innocent as others.

    Parameters:
        descriptor: the file that counts the ended processes.
        hits: the files that count how often the group was at its own limit; none for a group without its own limit.
    """

    def __init__(self, descriptor: int, hits: Sequence[int] = ()) -> None:
        self.descriptors = (descriptor, *hits)
        self._kills = descriptor
        self._hits = hits
        self._seen_hits = self._count_hits()
        self._seen_kills = self._count_kills()
        self._has_been_at_limit = False

    def risen(self) -> bool:
        """Return whether the group's own limit has ended more processes since this last returned True."""
        hits = self._count_hits()  # first, because each hit comes before its kill
        kills = self._count_kills()
        if kills <= self._seen_kills or not (self._has_been_at_limit or hits > self._seen_hits):
            return False
        self._seen_hits, self._seen_kills, self._has_been_at_limit = hits, kills, True
        return True

    def risen_for_others(self) -> bool:
        """Return whether more processes have ended though the group has never been at its own limit."""
        return self._count_kills() > self._seen_kills and not self._has_been_at_limit and not self.at_limit()

    def at_limit(self) -> bool:
        """Return whether the group has been at its own limit since `risen` last returned True."""
        return self._count_hits() > self._seen_hits

    def _count_kills(self) -> int:
        return _count(self._kills, b"oom_kill")

    def _count_hits(self) -> int:
        return sum(_count(hits, b"oom") for hits in self._hits)


def _count(descriptor: int, name: bytes) -> int:
    """Return a number from one of the kernel's files: the only one, or the one with a name."""
    content = os.pread(descriptor, _COUNTS_BYTES, 0)
    if content.strip().isdigit():
        return int(content)
    return next((int(line.split()[1]) for line in content.splitlines() if line.startswith(name + b" ")), 0)
