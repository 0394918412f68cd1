"""A shard of a run: its number among the jobs that each run some of the tests, and its tests. Pure.

Every job collects all tests and splits them on its own. So the split depends only on the tests' names and stored
durations, not on their order, which may differ between jobs (``--ff``, random orders).
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pytest_rewardkit.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 10_000
"""The most shards that a run may have."""


class Shard(NamedTuple):
    """The shard `number`, from 1, of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"


def parse_shard(text: str) -> Shard:
    """Return the shard named like ``2/8``. Raises ValueError."""
    number, _, of = text.partition("/")
    if not all(part.isascii() and part.isdecimal() and len(part) <= len(str(MOST)) for part in (number, of)):
        raise ValueError(f"must be which shard of how many, such as 2/8, not {text!r}")
    shard = Shard(int(number), int(of))
    if not 1 <= shard.number <= shard.of <= MOST:
        raise ValueError(f"{text!r}: shards are counted from 1/{max(min(shard.of, MOST), 1)} on, to {MOST:,} at most")
    return shard


class Split(NamedTuple):
    """All tests of a run from the view of one shard.

    Parameters:
        digest: of all tests and their shards; equal in all shards of one run.
        tests: how many there are.
        places: the positions of the shard's tests among all, from 0, in the shard's order.
    """

    digest: str
    tests: int
    places: list[int]

    def __str__(self) -> str:
        return f"{len(self.places):,} of {counted(self.tests, 'test')}"


def split(node_ids: Sequence[str], shard: Shard, durations: Mapping[str, float]) -> Split:
    """Return the tests that belong to `shard`, split so that all shards take about the same time.

    Tests that share a node id stay together, so that their order tells them apart.

    Parameters:
        node_ids: of all tests, in the order in which they run.
        durations: known seconds by node id; any other test is taken to last as long as these do on average.
    """
    numbers = _numbers(Counter(node_ids), shard.of, durations)
    lines = sorted(f"{node_id}\0{numbers[node_id]}" for node_id in node_ids)
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    places = [place for place, node_id in enumerate(node_ids) if numbers[node_id] == shard.number]
    return Split(digest, len(node_ids), places)


def _numbers(copies: Mapping[str, int], of: int, durations: Mapping[str, float]) -> dict[str, int]:
    """Return the number of each test's shard: from the longest test on, each goes to the shard with the least to do."""
    known = [durations[node_id] for node_id in copies if node_id in durations]
    usual = math.fsum(known) / len(known) if known else 1.0
    seconds = {node_id: durations.get(node_id, usual) * count for node_id, count in copies.items()}
    # Ties, and tests that take no time at all, go to one shard after another.
    loads = [(0.0, 0, number) for number in range(1, of + 1)]
    numbers = {}
    for node_id in sorted(seconds, key=lambda node_id: (-seconds[node_id], node_id)):
        load, tests, number = loads[0]
        numbers[node_id] = number
        heapq.heapreplace(loads, (load + seconds[node_id], tests + copies[node_id], number))
    return numbers
