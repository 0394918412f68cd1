"""Many sandboxes: one after another, alive at once, and by many clients at the same time.

python -m benchmarks.many [--sequential 500] [--alive 100] [--clients 50]
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from e2b_code_interpreter import Sandbox

from benchmarks.timing import Series, print_table
from pytest_rewardkit.local.handle import LocalServer


def one_after_another(count: int) -> None:
    start = time.perf_counter()
    for _ in range(count):
        sandbox = Sandbox.create()
        sandbox.run_code("1 + 1")
        sandbox.kill()
    elapsed = time.perf_counter() - start
    print(f"{count} sandboxes one after another: {count / elapsed:.1f}/s")


def alive_at_once(count: int) -> None:
    before = _children_pss()
    sandboxes = []
    for _ in range(count):
        sandbox = Sandbox.create()
        sandbox.run_code("1 + 1")
        sandboxes.append(sandbox)
    grown = _children_pss() - before
    for sandbox in sandboxes:
        sandbox.kill()
    print(f"{count} sandboxes alive at once: {grown / count / 1024:.1f} MiB each (PSS, after one cell)")


def at_the_same_time(clients: int, each: int = 4) -> None:
    sequential = Series("create, one client")
    for _ in range(40):
        with sequential.measure():
            sandbox = Sandbox.create()
        sandbox.kill()
    concurrent = Series(f"create, {clients} clients at once")

    def client(_: int) -> None:
        for _ in range(each):
            with concurrent.measure():
                sandbox = Sandbox.create()
            if sandbox.run_code("6 * 7").text != "42":
                raise RuntimeError("a sandbox gave a wrong result")
            sandbox.kill()

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    print_table([sequential, concurrent])
    print(f"p99 of create under load / sequential median: {concurrent.quantile(0.99) / sequential.median:.1f} times")


def _children_pss() -> int:
    """Proportional set size of all our descendants, in KiB."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    descendants = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in descendants} - descendants
        if not more:
            break
        descendants |= more
    total = 0
    for pid in descendants - {os.getpid()}:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description="Run many sandboxes.")
    parser.add_argument("--sequential", type=int, default=500)
    parser.add_argument("--alive", type=int, default=100)
    parser.add_argument("--clients", type=int, default=50)
    arguments = parser.parse_args()
    server = LocalServer.listen()
    try:
        os.environ.update(server.environment())
        with Sandbox.create() as first:
            first.run_code("1 + 1")
        one_after_another(arguments.sequential)
        alive_at_once(arguments.alive)
        at_the_same_time(arguments.clients)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
