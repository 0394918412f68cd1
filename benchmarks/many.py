"""Many sandboxes: one after another, alive at once, and by many clients at the same time.

    python -m benchmarks.many [--sequential 1000] [--alive 100] [--clients 50]

The clients are threads of one process, so they also wait for its interpreter lock and for processors, whatever the
server does. A stub that answers at once measures that wait, which is printed too. After all sandboxes are gone, the
benchmark counts what the sequential cycles left in the server, its fork servers, and their control groups.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from e2b_code_interpreter import Sandbox

from benchmarks.profile import children
from benchmarks.stub import stub_server
from benchmarks.timing import Series, print_table
from pytest_rewardkit.local.handle import LocalServer


def one_after_another(count: int) -> None:
    series = Series("cycle")
    start = time.perf_counter()
    for _ in range(count):
        with series.measure():
            sandbox = Sandbox.create()
            sandbox.run_code("1 + 1")
            sandbox.kill()
    elapsed = time.perf_counter() - start
    print(
        f"{count} sandboxes one after another: {count / elapsed:.1f}/s, "
        f"p50 {series.median:.1f} ms, p99 {series.quantile(0.99):.1f} ms"
    )


def holdings(server: int) -> dict[str, int]:
    """What the server and its fork servers hold once all cleanup is done."""
    held: dict[str, int] = {}
    for _ in range(100):
        before, held = held, {}
        with suppress(OSError):  # something was just closed, or has ended
            held = _held([server, *children(server)])
        if held and held == before:
            break
        time.sleep(0.1)
    return held


def _held(processes: list[int]) -> dict[str, int]:
    status = [Path(f"/proc/{pid}/status").read_text() for pid in processes]
    held = {
        what: sum(int(line.split()[1]) for text in status for line in text.splitlines() if line.startswith(what))
        for what in ("VmRSS", "Threads")
    }
    descriptors = [path for pid in processes for path in Path(f"/proc/{pid}/fd").iterdir()]
    held["descriptors"] = len(descriptors)
    held["processes"] = len(processes) + sum(len(children(pid)) for pid in processes[1:])
    homes = [path for path in descriptors if "/rewardkit-" in str(path.readlink()) and path.is_dir()]
    held["control groups"] = sum(1 for home in homes for path in home.iterdir() if path.is_dir())
    return held


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


def at_the_same_time(clients: int, each: int, label: str) -> Load:
    """The load of `clients` threads of this process, each of which makes `each` sandboxes, one after another."""
    sequential = Series(f"{label}: create, one client")
    for _ in range(40):
        with sequential.measure():
            sandbox = Sandbox.create()
        sandbox.kill()
    create, cycle = (Series(f"{label}: {step}, {clients} clients at once") for step in ("create", "cycle"))

    def client(_: int) -> None:
        for _ in range(each):
            with cycle.measure():
                with create.measure():
                    sandbox = Sandbox.create()
                if sandbox.run_code("1 + 1").text != "2":
                    raise RuntimeError("a sandbox gave a wrong result")
                sandbox.kill()

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return Load(sequential, create, cycle, clients * each / (time.perf_counter() - start))


@dataclass(frozen=True)
class Load:
    """What many simultaneous clients experience.

    Parameters:
        rate: sandboxes per second.
    """

    sequential: Series
    create: Series
    cycle: Series
    rate: float

    @property
    def waiting(self) -> float:
        """The 99th percentile of a create, as a multiple of a lone client's create."""
        return self.create.quantile(0.99) / self.sequential.median

    def print(self, label: str, clients: int) -> None:
        share = clients / self.rate * 1000
        print(
            f"{label}: {self.rate:.1f} sandboxes/s, {share:.0f} ms a cycle for each of {clients} clients; "
            f"p50 of a cycle {self.cycle.median / share:.2f}, p99 {self.cycle.quantile(0.99) / share:.2f} times that; "
            f"p99 of create / its sequential median: {self.waiting:.0f} times"
        )


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
    parser.add_argument("--sequential", type=int, default=1000)
    parser.add_argument("--alive", type=int, default=100)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--each", type=int, default=4, help="sandboxes of each client")
    arguments = parser.parse_args()
    with stub_server() as environment:
        os.environ.update(environment)
        floor = at_the_same_time(arguments.clients, arguments.each, "stub")
    others = set(children(os.getpid()))
    server = LocalServer.listen()
    try:
        os.environ.update(server.environment())
        with Sandbox.create() as first:
            first.run_code("1 + 1")
        one_after_another(50)
        (pid,) = set(children(os.getpid())) - others
        before = holdings(pid)
        one_after_another(arguments.sequential)
        after = holdings(pid)
        print("left behind: " + ", ".join(f"{what} {before[what]} → {after[what]}" for what in before))
        alive_at_once(arguments.alive)
        local = at_the_same_time(arguments.clients, arguments.each, "local")
    finally:
        server.stop()
    print_table([floor.sequential, floor.create, floor.cycle, local.sequential, local.create, local.cycle])
    floor.print("a stub that answers at once", arguments.clients)
    local.print("local server", arguments.clients)


if __name__ == "__main__":
    main()
