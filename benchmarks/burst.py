"""Time from create to the first command's answer, and to the first cell's: one by one, staggered, and all at once.

    python -m benchmarks.burst [-n 100] [--stagger 0.2]

The rounds of `pytest-rewardkit bench`, on a local server only. The whole machine's processor time per sandbox shows
the most that two processors can give, whatever else they do.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from e2b_code_interpreter import Sandbox

from benchmarks.profile import busy
from pytest_rewardkit.bench.figures import HEADING, lines
from pytest_rewardkit.bench.rounds import rounds
from pytest_rewardkit.local.handle import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(ask: Callable[[Sandbox], str | None], expected: str) -> Callable[[], float]:
    def first() -> float:
        begun = time.perf_counter()
        sandbox = Sandbox.create()
        answer = ask(sandbox)
        seconds = time.perf_counter() - begun
        sandbox.kill()
        if answer != expected:
            raise RuntimeError(f"a sandbox answered {answer!r}")
        return seconds

    return first


FIRST = {
    "command": timed(lambda sandbox: sandbox.commands.run("echo benchmark").stdout, "benchmark\n"),
    "cell": timed(lambda sandbox: sandbox.run_code("1 + 1").text, "2"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time sandboxes to their first answer.")
    parser.add_argument("-n", type=int, default=100, help="sandboxes of each kind")
    parser.add_argument("--stagger", type=float, default=0.2, help="seconds between sandboxes that are staggered")
    arguments = parser.parse_args()
    with LocalServer.listen() as server:
        os.environ.update(server.environment())
        for _ in range(5):
            FIRST["cell"]()
        for name, first in FIRST.items():
            print(f"\nfrom create to the first {name}'s answer\n{HEADING}")
            before = busy()
            for done in rounds(first, arguments.n, arguments.stagger):
                cost, before = (busy() - before) / arguments.n, busy()
                print("\n".join(lines(done)), f"    {cost:.0f} ms of the machine's processors each", flush=True)


if __name__ == "__main__":
    main()
