"""Timing and the table that the benchmarks print."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Series:
    """Durations of one step, in milliseconds."""

    name: str
    values: list[float] = field(default_factory=list)

    @contextmanager
    def measure(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.values.append((time.perf_counter() - start) * 1000)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def quantile(self, share: float) -> float:
        """The value below which a `share` (0 to 1) of the durations lies, by nearest rank."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_table(series: list[Series]) -> None:
    print(f"{'step':<42}{'n':>5}{'min':>9}{'median':>9}{'p95':>9}{'max':>9}  ms")
    for row in series:
        print(
            f"{row.name:<42}{len(row.values):>5}{min(row.values):>9.1f}{row.median:>9.1f}"
            f"{row.quantile(0.95):>9.1f}{max(row.values):>9.1f}"
        )
