"""The edit distance between two sequences, exact and fast without compiled code. Pure.

A column of the table that defines the distance changes by at most one from row to row. So two integers hold a whole
column, one bit per row, and a few operations on them lead to the next column (Myers 1999, Hyyrö 2003). Python's
integers have any length, so texts of some thousand characters take milliseconds.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

_FEW: Final = 16
"""Up to this many places, a unit's mask is rebuilt each time: storing masks of many units would fill the memory."""


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable], *, most: int) -> int:
    """Return how many units must be inserted, deleted or replaced to turn `one` into `other` (Levenshtein 1966).

    Parameters:
        one: a text, or a list of lines.
        other: what it is compared with.
        most: where to stop; a larger distance is returned as ``most + 1``.
    """
    shorter, longer = sorted(_without_common_ends(one, other), key=len)
    rows, left = len(shorter), len(longer)
    if left - rows > most:
        return most + 1
    if not rows:
        return left
    mask_of = _masks(shorter)
    every = (1 << rows) - 1
    more, less, distance = every, 0, rows  # rows that are one more, or one less, than the row above
    for unit in longer:
        mask = mask_of(unit)
        diagonal = (((mask & more) + more) ^ more | mask | less) & every
        grown, shrunk = less | (every ^ (diagonal | more)), diagonal & more
        left -= 1
        distance += (grown >> rows - 1) - (shrunk >> rows - 1)
        if distance - left > most:
            return most + 1
        grown = (grown << 1 | 1) & every
        more = (shrunk << 1) & every | (every ^ (diagonal | grown))
        less = grown & diagonal
    return distance


def _without_common_ends(
    one: Sequence[Hashable], other: Sequence[Hashable]
) -> tuple[Sequence[Hashable], Sequence[Hashable]]:
    start = _common(one, other)
    one, other = one[start:], other[start:]
    end = _common(one[::-1], other[::-1])
    return one[: len(one) - end], other[: len(other) - end]


def _common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _masks(units: Sequence[Hashable]) -> Callable[[Hashable], int]:
    """Return a function that gives, for a unit, the integer whose bits mark its places in `units`."""
    places: dict[Hashable, list[int]] = {}
    for place, unit in enumerate(units):
        places.setdefault(unit, []).append(place)
    often = {unit: _bits(found, len(units)) for unit, found in places.items() if len(found) > _FEW}

    def mask(unit: Hashable) -> int:
        if (known := often.get(unit)) is not None:
            return known
        return sum(1 << place for place in places.get(unit, ()))

    return mask


def _bits(places: Sequence[int], size: int) -> int:
    bits = bytearray(size // 8 + 1)
    for place in places:
        bits[place // 8] |= 1 << place % 8
    return int.from_bytes(bits, "little")
