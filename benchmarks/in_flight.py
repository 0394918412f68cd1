"""Awaited reward functions, many in flight: whether their rate withstands a cloud's latency.

    python -m benchmarks.in_flight [--rows 1024] [--rounds 3]

A stub takes 100 ms for a creation and 20 ms for any other answer, and costs no sandbox's processor time. So the rate
depends on the calls in flight, until this process's own processor time limits it; that time is printed too, and so is
the rate of the SDK's `AsyncSandbox` for the same work. Then a scorer judges a whole dataset in real sandboxes of a
local server that takes 100 ms more for each creation. Those share the machine's processors, so the rate must only hold.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from typing import TYPE_CHECKING

from e2b_code_interpreter import AsyncSandbox, Sandbox

from benchmarks.stub import stub_server
from pytest_rewardkit import reward_function
from pytest_rewardkit.asynchronous import awaitable, evaluate_dataset
from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings
from pytest_rewardkit.rewards import e2b_code_execution_reward

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

IN_FLIGHT = (16, 64, 256)
CREATE_SECONDS = 0.1
OTHER_SECONDS = 0.02


@reward_function
def two(response: str, *, sandbox: Sandbox) -> float:
    return float(sandbox.run_code(response).text == "2")


async def ours() -> bool:
    return (await awaitable(two)("1 + 1")).value == 1.0


async def theirs() -> bool:
    sandbox = await AsyncSandbox.create()
    text = (await sandbox.run_code("1 + 1")).text
    await sandbox.kill()
    return bool(text == "2")


async def rate(judge: Callable[[], Awaitable[bool]], in_flight: int, rows: int) -> tuple[float, float]:
    """Rows per second, and milliseconds of this process's processor time per row."""
    turn = asyncio.Semaphore(in_flight)

    async def row() -> bool:
        async with turn:
            return await judge()

    begun, busy = time.perf_counter(), time.process_time()
    right = await asyncio.gather(*(row() for _ in range(rows)))
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    if not all(right):
        raise RuntimeError(f"{right.count(False)} of {rows} rows have a wrong reward")
    return rows / seconds, busy / rows * 1000


async def dataset_rate(in_flight: int, rows: int) -> float:
    """Rows of a dataset per second."""
    begun = time.perf_counter()
    results = await evaluate_dataset(
        e2b_code_execution_reward,
        [{"id": row, "response": f"print({row})", "expected_output": str(row - row % 3)} for row in range(rows)],
        ["expected_output"],
        concurrency=in_flight,
        provider="e2b",  # where the SDK's variables lead
        progress=False,
    )
    if results.rewards != [float(row % 3 == 0) for row in range(rows)]:
        raise RuntimeError(f"wrong rewards: {results}")
    return rows / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description="Many reward functions in flight.")
    parser.add_argument("--rows", type=int, default=1024, help="rows of each round on the stub; a quarter in sandboxes")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    each = CREATE_SECONDS + 2 * OTHER_SECONDS
    print("in flight    latency allows      ours, rows/s (ms of processor time)    AsyncSandbox")
    with stub_server(CREATE_SECONDS, OTHER_SECONDS) as environment:
        os.environ.update(environment)
        for judge in (ours, theirs):
            asyncio.run(rate(judge, 4, 8))  # the first call loads modules
        for in_flight in IN_FLIGHT:
            rounds = [
                [asyncio.run(rate(judge, in_flight, arguments.rows)) for judge in (ours, theirs)]
                for _ in range(arguments.rounds)
            ]
            columns = [tuple(map(statistics.median, zip(*column, strict=True))) for column in zip(*rounds, strict=True)]
            shown = "".join(f"{rows:>22.0f} ({busy:.1f})" for rows, busy in columns)
            print(f"{in_flight:>9}{in_flight / each:>18.0f}{shown}")
    faults = f"create:delay/{CREATE_SECONDS}"
    with LocalServer.listen(ServerSettings(faults=faults)) as server:
        os.environ.update(server.environment())
        print("in flight    a dataset in real sandboxes, rows/s")
        for in_flight in IN_FLIGHT:
            rates = [
                asyncio.run(dataset_rate(in_flight, max(in_flight, arguments.rows // 4)))
                for _ in range(arguments.rounds)
            ]
            print(f"{in_flight:>9}{statistics.median(rates):>18.1f}")


if __name__ == "__main__":
    main()
