"""Sandboxes one after another, at a steady pace, and all at once: the three rounds of ComputeSDK's benchmarks."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pytest_rewardkit.bench.figures import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    First = Callable[[], float]
    """Makes a sandbox, and returns the seconds until its first command answered."""


def rounds(first: First, count: int, stagger: float) -> Iterator[Round]:
    """Yield the rounds of `count` sandboxes, each as soon as it is done."""
    yield Round("one by one", tuple(_outcome(first) for _ in range(count)))
    yield Round(f"one each {stagger * 1000:.0f} ms", _together(first, count, stagger))
    yield Round(f"{count} at once", _together(first, count, 0.0))


def _together(first: First, count: int, stagger: float) -> tuple[float | Exception, ...]:
    line = threading.Barrier(count)
    begun = time.monotonic()

    def client(number: int) -> float | Exception:
        if stagger:
            time.sleep(max(0.0, begun + number * stagger - time.monotonic()))
        else:
            line.wait()
        return _outcome(first)

    with ThreadPoolExecutor(count) as pool:
        return tuple(pool.map(client, range(count)))


def _outcome(first: First) -> float | Exception:
    try:
        return first()
    except Exception as error:
        return error
