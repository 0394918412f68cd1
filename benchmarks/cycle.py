"""Times a fresh sandbox through the official SDK (create, first cell, kill), a fresh ipykernel, and the SDK itself.

    python -m benchmarks.cycle [-n 40] [--live 300] [--kernels 5]

The stub answers at once with the fewest bytes that the SDK accepts, so its figures are the cost of the SDK and the
loopback. Calls to a live sandbox and to the stub alternate, so that other load on the machine slows both.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import nullcontext

from e2b_code_interpreter import Sandbox
from jupyter_client.manager import start_new_kernel

from benchmarks.stub import stub_server
from benchmarks.timing import Series, print_table
from pytest_rewardkit.local.handle import LocalServer

SETTLING_CALLS = 30


def sandbox_cycles(count: int, label: str) -> dict[str, Series]:
    steps = {
        name: Series(f"{label}: {name}") for name in ("create", "first run_code", "next run_code", "kill", "cycle")
    }
    for _ in range(count):
        start = time.perf_counter()
        with steps["create"].measure():
            sandbox = Sandbox.create()
        with steps["first run_code"].measure():
            sandbox.run_code("1 + 1")
        middle = time.perf_counter()
        with steps["next run_code"].measure():
            sandbox.run_code("1 + 1")
        resumed = time.perf_counter()
        with steps["kill"].measure():
            sandbox.kill()
        steps["cycle"].values.append((time.perf_counter() - resumed + middle - start) * 1000)
    return steps


def live_calls(count: int, environments: dict[str, dict[str, str]]) -> list[Series]:
    """Run code in one live sandbox of each server in turn, after a warm-up of both."""
    sandboxes = {}
    for label, environment in environments.items():
        os.environ.update(environment)
        sandboxes[label] = Sandbox.create()
    series = {label: Series(f"{label}: run_code, live") for label in sandboxes}
    for call in range(SETTLING_CALLS + count):
        for label, sandbox in sandboxes.items():
            with series[label].measure() if call >= SETTLING_CALLS else nullcontext():
                sandbox.run_code("1 + 1")
    for label, sandbox in sandboxes.items():
        os.environ.update(environments[label])
        sandbox.kill()
    return list(series.values())


def kernel_starts(count: int) -> Series:
    series = Series("ipykernel: start and first cell")
    for _ in range(count):
        with series.measure():
            manager, client = start_new_kernel(kernel_name="python3")
            client.execute_interactive("1 + 1", output_hook=lambda _: None)
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return series


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a fresh sandbox.")
    parser.add_argument("-n", type=int, default=40, help="sandboxes")
    parser.add_argument("--live", type=int, default=300, help="calls on a live sandbox")
    parser.add_argument("--kernels", type=int, default=5, help="ipykernels to compare with")
    arguments = parser.parse_args()

    with stub_server() as stub_environment, LocalServer.listen() as server:
        os.environ.update(stub_environment)
        sandbox_cycles(3, "warm-up")
        stub = sandbox_cycles(arguments.n, "SDK against a stub")

        os.environ.update(server.environment())
        start = time.perf_counter()
        with Sandbox.create() as first:
            first.run_code("1 + 1")
        cold = time.perf_counter() - start
        sandbox_cycles(5, "warm-up")
        local = sandbox_cycles(arguments.n, "local server")

        live = live_calls(
            arguments.live, {"SDK against a stub": stub_environment, "local server": server.environment()}
        )
    kernels = kernel_starts(arguments.kernels)

    print_table([*stub.values(), *local.values(), *live, kernels])
    cycle = local["cycle"].median
    print(f"cold server to first result: {cold * 1000:.0f} ms")
    print(f"ipykernel / fresh sandbox: {kernels.median / cycle:.1f} times")
    of_stub, of_local = live
    print(f"run_code on a live sandbox / SDK's own cost: {of_local.median / of_stub.median:.2f} times")


if __name__ == "__main__":
    main()
