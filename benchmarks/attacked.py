"""Rows of which a third attack their sandboxes and the test runner's: what each earns, and what stays on the machine.

    python -m benchmarks.attacked [--rows 300] [-n 2]

The status is 1 if a row's reward is not what it should be, or if anything stays behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from pytest_rewardkit import evaluate_dataset

TEST: Final = "def check(candidate):\n    for n in range(2, 20):\n        assert candidate(n) == sum(range(n + 1))\n"
PROMPT: Final = "def triangle(n):\n"
RIGHT: Final = "    return n * (n + 1) // 2\n"
WRONG: Final = "    return n * n\n"

# Each defines the function asked for, gives a wrong answer, and attacks its surroundings.
ATTACKS: Final = {
    "closes its home": "    import os\n    os.chmod('/home/user', 0)\n    return 0\n",
    "closes our files": (
        "    import glob, os\n    for path in glob.glob('/tmp/rewardkit*'):\n        os.chmod(path, 0)\n    return 0\n"
    ),
    "puts links in place of our files": (
        "    import glob, os\n    for path in glob.glob('/tmp/rewardkit*'):\n        os.unlink(path)\n"
        "        os.symlink('/proc/self/mem', path)\n    return 0\n"
    ),
    "puts folders in place of our files": (
        "    import glob, os\n    for path in glob.glob('/tmp/rewardkit*'):\n        os.unlink(path)\n"
        "        os.mkdir(path)\n    return 0\n"
    ),
    "answers with 90 MB": (
        "    import glob, os\n    for path in glob.glob('/tmp/rewardkit*'):\n"
        "        with open(path, 'a') as file:\n            file.write(('x' * 9_999 + '\\n') * 9_000)\n"
        "    os._exit(0)\n"
    ),
    "answers with brackets": (
        "    import glob, os\n    for path in glob.glob('/tmp/rewardkit*'):\n"
        "        with open(path, 'a') as file:\n            file.write('[' * 1_000_000 + '\\n')\n    os._exit(0)\n"
    ),
    "fills the disk": (
        "    with open('/tmp/full', 'wb') as file:\n        try:\n            while True:\n"
        "                file.write(b'0' * 1_000_000)\n        except OSError:\n            return 0\n"
    ),
    "takes all processes": (
        "    import os, signal\n    try:\n        while True:\n            if os.fork() == 0:\n"
        "                os.setsid()\n                while True:\n                    signal.pause()\n"
        "    except OSError:\n        return 0\n"
    ),
    "takes the modules away": (
        "    import sys\n    for name in list(sys.modules):\n        sys.modules[name] = None\n    return 0\n"
    ),
    "ends all processes": "    import os\n    os.kill(-1, 9)\n    return 0\n",
    "returns large values": "    return [n] * 3_000_000\n",
    "closes all descriptors": "    import os\n    os.closerange(0, 4096)\n    return 0\n",
}

SETTLING_SECONDS: Final = 20.0
"""How long the server's last processes may take to end."""


def rows(count: int) -> list[dict[str, Any]]:
    """Rows of three kinds in turn: right, wrong, and attacking."""
    attacks = list(ATTACKS.items())
    made = []
    for number in range(count):
        kind = ("right", "wrong", "attack")[number % 3]
        name, attack = attacks[number // 3 % len(attacks)]
        body = {"right": RIGHT, "wrong": WRONG, "attack": attack}[kind]
        made.append(
            {
                "task_id": f"{number} {name if kind == 'attack' else kind}",
                "prompt": PROMPT,
                "entry_point": "triangle",
                "test": TEST,
                "completion": body,
            }
        )
    return made


def left_over(place: Path) -> list[str]:
    """What this run has left on the machine: processes with its temporary directory, and files in that."""
    mark = f"TMPDIR={place}\0".encode()
    found = sorted(str(path) for path in place.iterdir())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.name != str(os.getpid()) and mark in (process / "environ").read_bytes():
                found.append(f"process {process.name}")
        except OSError:
            pass
    return found


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("-n", type=int, default=2, help="candidates at a time")
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp())
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    begun = time.monotonic()
    made = rows(given.rows)
    samples = [{"task_id": row["task_id"], "completion": row.pop("completion")} for row in made]
    results = evaluate_dataset(
        None,
        made,
        id="task_id",
        format="humaneval",
        samples=samples,
        concurrency=given.n,
        provider="local",
        progress=False,
    )
    seconds = time.monotonic() - begun
    wrong = []
    counts: Counter[str] = Counter()
    for result in results:
        kind = result.id.partition(" ")[2]
        value = result.reward.value
        expected = 1.0 if kind == "right" else 0.0
        counts[kind if kind in ("right", "wrong") else "attack"] += value == expected
        is_right = value == expected if kind != "wrong" else value is not None and value < 1
        if not is_right:
            wrong.append(f"{result.id}: {result.reward.value} {result.reward.reason}")
    until = time.monotonic() + SETTLING_SECONDS
    while (left := left_over(place)) and time.monotonic() < until:
        time.sleep(0.1)
    print(f"{given.rows} rows in {seconds:.0f} s; as they should be: {dict(counts)}")
    print("\n".join(["not as they should be:", *wrong] if wrong else ["each row's reward is right"]))
    print("\n".join(["left:", *left] if left else ["nothing is left"]))
    shutil.rmtree(place, ignore_errors=True)
    return int(bool(wrong or left))


if __name__ == "__main__":
    raise SystemExit(main())
