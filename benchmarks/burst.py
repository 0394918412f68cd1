"""From create to the first command's answer: one by one, staggered, and all at once, as ComputeSDK's benchmarks ask.

    python -m benchmarks.burst [-n 100] [--stagger 0.2]

Each sandbox is created, runs a command, and is killed; the time ends with the command's answer. Processor time of the
whole machine a sandbox says what two processors can give at most, whatever else they have to do.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from e2b_code_interpreter import Sandbox

from benchmarks.profile import busy
from benchmarks.timing import Series, print_table
from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable


def first_command(series: Series) -> None:
    with series.measure():
        sandbox = Sandbox.create()
        output = sandbox.commands.run("echo benchmark").stdout
    sandbox.kill()
    if output != "benchmark\n":
        raise RuntimeError(f"a command printed {output!r}")


def first_cell(series: Series) -> None:
    with series.measure():
        sandbox = Sandbox.create()
        text = sandbox.run_code("1 + 1").text
    sandbox.kill()
    if text != "2":
        raise RuntimeError(f"a cell gave {text!r}")


def sequential(count: int, first: Callable[[Series], None]) -> Series:
    series = Series("one by one")
    for _ in range(count):
        first(series)
    return series


def staggered(count: int, seconds: float, first: Callable[[Series], None]) -> Series:
    series = Series(f"one each {seconds * 1000:.0f} ms")
    with ThreadPoolExecutor(count) as pool:
        started = []
        for _ in range(count):
            started.append(pool.submit(first, series))
            time.sleep(seconds)
        for each in started:
            each.result()
    return series


def burst(count: int, first: Callable[[Series], None]) -> Series:
    series = Series(f"{count} at once")
    line = threading.Barrier(count)

    def client(_: int) -> None:
        line.wait()
        first(series)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(client, range(count)))
    return series


def main() -> None:
    parser = argparse.ArgumentParser(description="Time sandboxes to their first command.")
    parser.add_argument("-n", type=int, default=100, help="sandboxes of each kind")
    parser.add_argument("--stagger", type=float, default=0.2, help="seconds between sandboxes that are staggered")
    arguments = parser.parse_args()
    with LocalServer.listen() as server:
        os.environ.update(server.environment())
        for _ in range(5):
            first_cell(Series("warm-up"))
        for name, first in (("command", first_command), ("cell", first_cell)):
            rows, costs = [], []
            for run in (
                lambda first=first: sequential(arguments.n, first),
                lambda first=first: staggered(arguments.n, arguments.stagger, first),
                lambda first=first: burst(arguments.n, first),
            ):
                before = busy()
                rows.append(run())
                costs.append((busy() - before) / arguments.n)
            print(f"\nfrom create to the first {name}'s answer")
            print_table(rows)
            for row, cost in zip(rows, costs, strict=True):
                print(f"{row.name}: p99 {row.quantile(0.99):.1f} ms; {cost:.0f} ms of the machine's processors each")


if __name__ == "__main__":
    main()
