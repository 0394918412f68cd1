"""Right and wrong candidates, in tests and rows, while requests to their sandboxes fail at random: what each earns.

    python -m benchmarks.faulty [--tests 300] [--rows 60] [--rate 0.05] [-n 2] [--seed 1]

Every request goes through a proxy that spoils some of them: before the server sees the request, in the middle of the
answer, or with an error in its place. The status is 1 if a right candidate earns nothing or a wrong one earns anything;
either may be unscored.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_rewardkit.local.handle import LocalServer
from pytest_rewardkit.local.settings import ServerSettings

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from faulty_proxy import Fault, FaultyProxy, answered

SUITE: Final = """
import pytest
from pytest_rewardkit import Case, FileCheck, assert_cases, assert_files, assert_output, assert_row

SCORERS = {{
    "output": lambda sandbox, n: assert_output(sandbox, "print(6 * 7)" if n else "print(41)", expected="42"),
    "calls": lambda sandbox, n: assert_cases(
        sandbox, f"def double(x): return {{1 + n}} * x", [Case(call="double", args=[3], expected=6)]
    ),
    "stdin": lambda sandbox, n: assert_cases(
        sandbox, f"print(int(input()) * {{1 + n}})", [Case(stdin="3", expected="6")]
    ),
    "files": lambda sandbox, n: assert_files(
        sandbox, f"open('a.txt', 'w').write('{{n}}')", [FileCheck(path="a.txt", content="1")]
    ),
}}


@pytest.mark.parametrize("number", range({tests}))
def test_candidate(sandbox, number):
    list(SCORERS.values())[number // 2 % len(SCORERS)](sandbox, number % 2)


@pytest.mark.reward_dataset("rows.jsonl", format="humaneval")
def test_row(sandbox, row):
    assert_row(sandbox, row, row["response"])
"""


class UnreliableProxy(FaultyProxy):
    """Breaks requests at random.

    Parameters:
        port: the server's port.
        rate: the share of requests that are broken, in [0, 1].
        chance: the random generator.
    """

    def __init__(self, port: int, rate: float, chance: random.Random) -> None:
        super().__init__(port)
        self._rate = rate
        self._chance = chance
        self.requests = 0

    def _fault_of(self, _: bytes) -> Fault | None:
        with self._lock:
            self.requests += 1
            if self._chance.random() >= self._rate:
                return None
            self._met += 1
            what = self._chance.choice(["cut", "close", "answer"])
            if what == "answer":
                return Fault(what, "", answer=answered(self._chance.choice([429, 500, 502, 503, 504])))
            return Fault(what, "", after=self._chance.choice([None, 0, self._chance.randrange(1, 200)]))


def rows(count: int) -> str:
    """Rows in HumanEval's form; every other one has a right response."""
    lines = [
        json.dumps(
            {
                "task_id": f"HumanEval/{number}",
                "prompt": f"def add_{number}(x):\n",
                "entry_point": f"add_{number}",
                "canonical_solution": f"    return x + {number}\n",
                "response": f"    return x + {number + 1 - number % 2}\n",
                "test": f"def check(candidate):\n    assert candidate(1) == {number + 1}\n    assert candidate(5) == "
                f"{number + 5}\n",
            }
        )
        for number in range(count)
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=300)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-n", dest="workers", type=int, default=2)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name, LocalServer.listen(ServerSettings()) as server:
        folder = Path(name)
        (folder / "test_faulty.py").write_text(SUITE.format(tests=options.tests))
        (folder / "rows.jsonl").write_text(rows(options.rows))
        variables = server.environment()
        ports = [urlsplit(variables[url]).port or 0 for url in ("E2B_API_URL", "E2B_SANDBOX_URL")]
        with (
            UnreliableProxy(ports[0], options.rate, chance) as control,
            UnreliableProxy(ports[1], options.rate, chance) as traffic,
        ):
            variables["E2B_API_URL"] = f"http://127.0.0.1:{control.port}"
            variables["E2B_SANDBOX_URL"] = f"http://127.0.0.1:{traffic.port}"
            command = [sys.executable, "-m", "pytest", "-q", "--rewardkit", "--rewardkit-provider=e2b"]
            command += [
                "--rewardkit-results=r.jsonl",
                "-n",
                str(options.workers),
                "-p",
                "no:cacheprovider",
                "-W",
                "ignore",
            ]
            subprocess.run(command, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, check=False)
            print(f"{control.hits + traffic.hits} of {control.requests + traffic.requests} requests spoilt")
        lines = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    return told(lines)


def told(lines: list[dict[str, object]]) -> int:
    """Print the candidates' rewards. Returns 1 if one is wrong."""
    counts: Counter[tuple[str, bool, object]] = Counter()
    for line in lines:
        if line["type"] == "attempt":
            test, _, parameter = str(line["node_id"]).partition("[")
            number = int("".join(filter(str.isdigit, parameter)))
            counts[test, number % 2 == 1, line["reward"]] += 1
    wrong = 0
    for (test, right, value), count in sorted(counts.items(), key=str):
        print(f"{test}, {'right' if right else 'wrong'} candidates: {count} with {value}")
        wrong += count * (value is not None and value != float(right))
    print(f"{wrong} wrong rewards of {sum(counts.values())}")
    return int(wrong > 0 or not counts)


if __name__ == "__main__":
    raise SystemExit(main())
