"""Keeps a page's size bounded: if not everything fits, the longest texts are cut first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def fair_limit(sizes: Sequence[int], budget: int) -> int:
    """Return the largest limit for which ``sum(min(size, limit))`` stays within `budget`.

    A size below the equal share leaves the rest to the others. If everything fits, the limit is the largest of `sizes`.

    >>> fair_limit([10, 100, 1000], 300)
    190
    """
    left = budget
    ascending = sorted(sizes)
    for index, size in enumerate(ascending):
        share = left // (len(ascending) - index)
        if size > share:
            return share
        left -= size
    return ascending[-1] if ascending else 0
